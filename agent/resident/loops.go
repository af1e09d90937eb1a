package resident

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
)

// Waits between two starts of a loop that failed. They double with each failure, up to
// maxRestartWait, and start anew once the loop has run for steadyAfter.
const (
	minRestartWait = time.Second
	maxRestartWait = 5 * time.Minute
	steadyAfter    = 10 * time.Minute
)

// Loop is one job of the service, which runs until its context is done.
type Loop struct {
	// Name is the name in the log, in lower case.
	Name string
	// Run returns early only if it cannot continue. It is called again later.
	Run func(ctx context.Context) error
}

// Loops are the jobs of the service. They run side by side: the failure of one does not
// affect the others.
type Loops struct {
	List  []Loop
	Clock probe.Clock
	// Random returns numbers in [0, 1).
	Random func() float64
	Log    *slog.Logger
}

// Run runs all loops until ctx is done, and returns after the last one has ended. A loop
// that returns or panics is logged and started again after a wait.
func (l Loops) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, loop := range l.List {
		running.Go(func() { l.keepRunning(ctx, loop) })
	}
	running.Wait()
	return context.Cause(ctx)
}

func (l Loops) keepRunning(ctx context.Context, loop Loop) {
	wait := minRestartWait
	for {
		began := l.Clock.Now()
		err := runOnce(ctx, loop)
		if ctx.Err() != nil {
			return
		}
		if l.Clock.Now().Sub(began) >= steadyAfter {
			wait = minRestartWait
		}
		// Loops that fail for the same reason must not retry in the same second.
		pause := time.Duration(float64(wait) * (1 + Jitter*l.Random()))
		l.Log.Error("restarting a loop that ended", "loop", loop.Name, "err", err, "wait_ms", pause.Milliseconds())
		if l.Clock.Sleep(ctx, pause) != nil {
			return
		}
		wait = min(2*wait, maxRestartWait)
	}
}

// runOnce returns the error of a loop; a *[guard.Panic] if it panicked.
func runOnce(ctx context.Context, loop Loop) (err error) {
	if panicked := guard.Do(func() { err = loop.Run(ctx) }); panicked != nil {
		return panicked
	}
	return err
}
