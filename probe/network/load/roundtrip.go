package load

import (
	"context"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/periodic"
	"github.com/tonprobe/tonprobe/probe/report"
)

// roundTrip is one answer and the time of its request.
type roundTrip struct {
	asked time.Time
	took  time.Duration
}

// roundTrips sends requests until phase is done and waits for the answers. ctx ends both.
func roundTrips(ctx, phase context.Context, env probe.Env, ask echo.Question) (all []roundTrip) {
	if ask == nil {
		return nil
	}
	var mu sync.Mutex
	var wg guard.Group
	for phase.Err() == nil {
		wg.Go(func() {
			waiting, cancel := context.WithTimeout(ctx, askWait)
			defer cancel()
			asked := env.Clock.Now()
			r, err := ask(waiting)
			if err != nil || r.RTT < 0 || r.RTT > askWait { // the clock may have been set
				return
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, roundTrip{asked, r.RTT})
		})
		if env.Clock.Sleep(phase, askEvery) != nil {
			break
		}
	}
	wg.Wait()
	return all
}

// minAnswers is the minimum for a median.
const minAnswers = 3

func medianSince(all []roundTrip, begin time.Time) *float64 {
	var took []time.Duration
	for _, r := range all {
		if !r.asked.Before(begin) {
			took = append(took, r.took)
		}
	}
	if len(took) < minAnswers {
		return nil
	}
	return report.Milliseconds(periodic.Median(took))
}
