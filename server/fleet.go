package server

import (
	"fmt"
	"os"

	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/live"
)

// watchFleet prepares the search for common causes. Open pages are notified of changes.
func (s *Server) watchFleet() (*fleet.Watch, error) {
	c := s.config
	providers, err := readProviders(c.ProvidersFile)
	if err != nil {
		return nil, fmt.Errorf("%w: providers: %w", ErrConfig, err)
	}
	return &fleet.Watch{Reports: s.store, Providers: providers, Now: c.Now, Log: c.Log,
		Changed: func() { s.live.Deliver(live.Event{Kind: live.CommonChanged, At: c.Now()}) }}, nil
}

func readProviders(file string) (*fleet.Providers, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return fleet.ReadProviders(f)
}
