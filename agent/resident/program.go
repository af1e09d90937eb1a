package resident

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/kardianos/service"
)

// program is the running service.
type program struct {
	work func(context.Context) error
	log  *slog.Logger
	exit func(status int)

	cancel context.CancelFunc
	done   chan struct{}
}

// Start must return at once: Windows gives a service 30 s to report that it runs (error
// 1053).
func (p *program) Start(service.Service) error {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.done = cancel, make(chan struct{})
	go p.run(ctx)
	return nil
}

func (p *program) run(ctx context.Context) {
	defer close(p.done)
	err := p.work(ctx)
	switch {
	case ctx.Err() != nil:
		p.log.Info("stopped")
	case err != nil:
		p.log.Error("fatal error", "err", err)
		p.exit(ExitFatal)
	default:
		p.log.Error("fatal: the service's work ended unexpectedly")
		p.exit(ExitFatal)
	}
}

// errSlowStop means that the work did not end within StopWithin. The process exits
// regardless.
var errSlowStop = errors.New("a check did not end in time")

// Stop ends the work and waits for it.
func (p *program) Stop(service.Service) error {
	p.cancel()
	select {
	case <-p.done:
		return nil
	case <-time.After(StopWithin - time.Second):
		return errSlowStop
	}
}
