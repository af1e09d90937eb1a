package server

import (
	"fmt"
	"path/filepath"

	"github.com/tonprobe/tonprobe/server/disturbance"
)

// rules returns the rules of the Land as they are now. A changed file takes effect in the next
// record.
func (s *Server) rules() (disturbance.Rules, error) { return s.config.rules() }

func (c Config) rules() (disturbance.Rules, error) {
	dir := c.RulesDir
	if dir == "" {
		dir = filepath.Join(c.DataDir, "rules")
	}
	r, err := disturbance.LoadRules(dir, c.Land)
	if err != nil {
		return r, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return r, nil
}
