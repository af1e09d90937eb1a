package resident

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

var quiet = slog.New(slog.DiscardHandler)

func TestStartReturnsAndStopWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &program{log: quiet, exit: func(s int) { t.Errorf("got exit %d, want none", s) }, work: func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(3 * time.Second) // a check that takes time to stop
			return ctx.Err()
		}}
		begun := time.Now()
		if err := p.Start(nil); err != nil || time.Since(begun) != 0 {
			t.Errorf("got %v after %v, want no error at once", err, time.Since(begun))
		}
		if err := p.Stop(nil); err != nil || time.Since(begun) != 3*time.Second {
			t.Errorf("got %v after %v, want no error after 3s", err, time.Since(begun))
		}
	})
}

func TestStopEndsInTimeEvenWhenTheWorkHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := &program{log: quiet, exit: func(int) {}, work: func(ctx context.Context) error { <-release; return nil }}
		begun := time.Now()
		if err := p.Start(nil); err != nil {
			t.Fatal(err)
		}
		if err := p.Stop(nil); !errors.Is(err, errSlowStop) || time.Since(begun) >= StopWithin {
			t.Errorf("got %v after %v, want %v within %v", err, time.Since(begun), errSlowStop, StopWithin)
		}
		close(release)
	})
}

func TestFatalFailureExits(t *testing.T) {
	for name, err := range map[string]error{"failed": errors.New("broken identity"), "ended": nil} {
		t.Run(name, func(t *testing.T) {
			status := make(chan int, 1)
			p := &program{log: quiet, exit: func(s int) { status <- s }, work: func(context.Context) error { return err }}
			if err := p.Start(nil); err != nil {
				t.Fatal(err)
			}
			if s := <-status; s != ExitFatal {
				t.Errorf("got exit %d, want %d", s, ExitFatal)
			}
		})
	}
}

// rounds runs the service for an hour of fake time.
func rounds(t *testing.T, session func(round int) (Session, error)) (log []string, err error) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		note := func(s string) { log = append(log, s) }
		w := Work{
			Schedule: Schedule{Interval: 20 * time.Minute, Clock: probe.SystemClock{}, Random: func() float64 { return 0.5 }},
			Session: func() (Session, error) {
				n++
				return session(n)
			},
			Check: func(context.Context, Session, Check) (*report.Report, error) {
				note("check")
				return &report.Report{}, nil
			},
			Store: func(context.Context, *report.Report) error { note("store"); return nil },
			Send: func(context.Context, Session) (uplink.Summary, error) {
				note("send")
				return uplink.Summary{}, uplink.ErrNotReached
			},
			Log: quiet,
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		err = w.Run(ctx)
	})
	return log, err
}

func TestWorkContinuesWithoutCollector(t *testing.T) {
	log, err := rounds(t, func(int) (Session, error) { return Session{}, nil })
	if len(log) != 9 || log[0] != "check" || log[1] != "store" || log[2] != "send" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, %v, want 3 rounds of check, store and send until %v", log, err, context.DeadlineExceeded)
	}
}

func TestEnrolmentTakesEffectWithoutARestart(t *testing.T) {
	log, _ := rounds(t, func(round int) (Session, error) {
		if round < 3 {
			return Session{}, ErrNotEnrolled
		}
		return Session{}, nil
	})
	// It is looked for every 5 minutes; after 10 minutes it is there, and three rounds follow.
	if len(log) != 9 {
		t.Errorf("got %v, want 3 rounds of check, store and send", log)
	}
}

func TestBrokenIdentityIsFatal(t *testing.T) {
	broken := errors.New("broken")
	log, err := rounds(t, func(int) (Session, error) { return Session{}, broken })
	if len(log) != 0 || !errors.Is(err, broken) {
		t.Errorf("got %v, %v, want no step and %v", log, err, broken)
	}
}
