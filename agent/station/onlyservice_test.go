package station

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

// TestSecondServiceWaits: it begins its work soon after the first one has ended, and leaves the folder to
// nobody else meanwhile. A stop ends the wait.
func TestSecondServiceWaits(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	synctest.Test(t, func(t *testing.T) {
		end, err := OnlyService(data)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		began := make(chan time.Time, 2)
		wait := func(ctx context.Context) <-chan error {
			done := make(chan error, 1)
			go func() {
				done <- WhenOnly(data, probe.SystemClock{}, func(ctx context.Context) error {
					began <- time.Now()
					<-ctx.Done()
					return ctx.Err()
				})(ctx)
			}()
			return done
		}
		stopped, cancel := context.WithCancel(ctx)
		second, third := wait(ctx), wait(stopped)
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(began) > 0 {
			t.Errorf("began its work at %v, want not while the other one runs", <-began)
		}
		cancel()
		if err := <-third; !errors.Is(err, context.Canceled) {
			t.Errorf("stopped while it waits: got error %v, want %v", err, context.Canceled)
		}
		ended := time.Now()
		if err := end(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(began) != 1 {
			t.Fatalf("began its work %d times after the end of the other one, want once", len(began))
		}
		if got := (<-began).Sub(ended); got < 0 || got > otherEvery {
			t.Errorf("began its work %v after the end of the other one, want within %v", got, otherEvery)
		}
		if _, err := OnlyService(data); !errors.Is(err, ErrOtherService) {
			t.Errorf("while it works: got error %v, want %v", err, ErrOtherService)
		}
		stop()
		if err := <-second; !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want %v", err, context.Canceled)
		}
		if end, err = OnlyService(data); err != nil {
			t.Errorf("after its end: got error %v, want none", err)
		} else if err := end(); err != nil {
			t.Error(err)
		}
	})
}
