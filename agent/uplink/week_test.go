package uplink

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// TestAWeekWithoutTheCollector: the collector is down for a week, sometimes stores reports
// without its response arriving, the agent's process is killed every day, and its clock jumps by
// years and back. Afterwards each report has arrived, or was dropped over the limit and
// counted.
func TestAWeekWithoutTheCollector(t *testing.T) {
	need.Full(t, "simulates a week")
	const (
		limit  = 150
		checks = 7 * 24 // one an hour
	)
	for seed := range uint64(3) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			w := newSimulation(t)
			disk, locks := newMemory(), newLocks()
			var skew time.Duration
			restart := func() {
				s, err := spool.New(t.Context(), spool.Config{
					FS: disk, Lock: locks, Limits: spool.Limits{Reports: limit, Age: 14 * 24 * time.Hour},
					Now: func() time.Time { return time.Now().Add(skew) }, Log: slog.New(slog.DiscardHandler),
				})
				if err != nil {
					t.Fatal(err)
				}
				w.Spool = s
			}
			restart()
			w.fake.before = func(ids []string) (int, string, http.Header, error) {
				if w.state != fine && rng.IntN(50) == 0 {
					for _, id := range ids {
						w.fake.stored[id]++
					}
					return 0, "", nil, errHang
				}
				return w.answer(ids)
			}
			outages := []collectorState{busy, limited, broken, noAnswer, noLine, proxyFails}
			for n := range checks {
				switch day := n / 24; {
				case day == 2 && n%24 < 6:
					skew = 5 * 365 * 24 * time.Hour
				case day == 4 && n%24 < 6:
					skew = -8 * 365 * 24 * time.Hour
				default:
					skew = 0
				}
				if n%24 == 0 {
					restart()
				}
				w.state = outages[rng.IntN(len(outages))]
				w.put(t, time.Now().Add(skew), agentID)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rng.Int64N(int64(3*time.Minute))))
				_, _ = w.Drain(ctx) // killed or given up at any point
				cancel()
				time.Sleep(time.Hour)
			}
			restart()
			w.state = fine
			if _, err := w.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if left := w.in(t, spool.Waiting); len(left) > 0 {
				t.Errorf("seed %d: %d reports are still waiting, want none", seed, len(left))
			}
			drops, counts, err := w.Spool.Drops()
			if err != nil {
				t.Fatal(err)
			}
			missing := 0
			for _, id := range w.ids {
				recorded := slices.ContainsFunc(drops, func(d spool.Drop) bool { return d.ID == id && d.Kind == spool.DropLost })
				if w.fake.stored[id] == 0 {
					missing++
					if !recorded {
						t.Errorf("seed %d: %s neither arrived nor was recorded as dropped", seed, id)
					}
				}
			}
			if lost := counts[spool.DropLost]; lost < missing || lost > checks-limit || counts[spool.DropQuarantined] > 0 {
				t.Errorf("seed %d: %d reports are missing, %d counted as dropped (at most %d are over the limit), %d set aside", seed, missing, lost, checks-limit, counts[spool.DropQuarantined])
			}
			t.Logf("seed %d: %d checks, %d arrived, %d dropped over the limit of %d", seed, len(w.ids), len(w.ids)-missing, missing, limit)
		})
	}
}
