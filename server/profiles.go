package server

import (
	"fmt"

	"github.com/tonprobe/tonprobe/server/target"
)

// readProfiles checks the town's own limits, so that a mistake is reported when the
// collector starts and not when the limits are first used.
func (s *Server) readProfiles() error {
	c := s.config
	dir := c.ProfilesDir
	if dir == "" {
		dir = target.ProfilesIn(c.DataDir)
	}
	known, err := target.ReadProfiles(dir, c.ProfilesDir != "")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	s.profiles = &target.Profiles{Dir: dir}
	all, err := target.In(c.DataDir).List()
	if err != nil {
		return err
	}
	for _, t := range all {
		if _, err := known.Load(t.Profile); err != nil {
			c.Log.Warn("a conference system has limits that do not exist: agents use the default ones", "target", t.Name, "err", err)
		}
	}
	return nil
}
