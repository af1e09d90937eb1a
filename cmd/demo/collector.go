package main

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"

	"github.com/tonprobe/tonprobe/server"
)

// collector is the embedded collector, serving on loopback only.
type collector struct {
	server   *server.Server
	password string     // of server.FirstUser
	failed   chan error // closed when it has stopped
	cancel   context.CancelFunc
}

// dataDir returns the collector's data directory in the folder of the demo.
func dataDir(dir string) string { return filepath.Join(dir, "collector") }

func startCollector(ctx context.Context, dir string) (*collector, error) {
	return startCollectorWith(ctx, dir, server.Config{})
}

// startCollectorWith is startCollector with the settings of a test.
func startCollectorWith(ctx context.Context, dir string, config server.Config) (*collector, error) {
	// "Behind a proxy" means plain HTTP: nothing leaves this machine, and a browser would warn
	// of a self-signed certificate.
	loopback := netip.MustParsePrefix("127.0.0.0/8")
	config.DataDir = dataDir(dir)
	config.BehindProxy = []netip.Prefix{loopback}
	config.Listen, config.STUNListen, config.MediaListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c := &collector{failed: make(chan error, 1)}
	config.FirstPassword = func(_, password string) { c.password = password }
	s, err := server.New(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("start the collector: %w", err)
	}
	// It continues after ctx has ended, so that a cancelled check can finish cleanly.
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.server, c.cancel = s, cancel
	go func() {
		defer close(c.failed)
		if err := s.Serve(serving); err != nil {
			c.failed <- err
		}
	}()
	return c, nil
}

// stop ends the collector and waits for it.
func (c *collector) stop() error {
	c.cancel()
	return <-c.failed
}
