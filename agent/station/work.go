package station

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Work returns the work of the background service: it opens the station anew in each round, checks,
// stores and sends.
func Work(c config.Config, version string, turn Turn, conditions *Conditions, log *slog.Logger) resident.Work {
	var st *Station
	memory := scheduleMemory{data: c.Data, log: log}
	return resident.Work{
		Schedule: resident.Schedule{
			Interval: time.Duration(c.Service.Interval), Clock: probe.SystemClock{}, Random: rand.Float64, Seed: rand.Uint64(),
			Sessions: memory.sessions, Sparing: conditions.sparing, Memory: memory,
			Learn: func(ctx context.Context) {
				if conditions.sinceLearned() < learnEvery {
					return
				}
				// An error of the station is reported by the check. After a failed request the next
				// check tries again.
				if st, err := Open(c, log); err == nil && st.Enrolled() {
					_ = conditions.learnBy(ctx, st.learnSessions)
				}
			},
		},
		Session: func() (resident.Session, error) {
			var err error
			if st, err = Open(c, log); err != nil {
				return resident.Session{}, err
			}
			if !st.Enrolled() {
				return resident.Session{}, resident.ErrNotEnrolled
			}
			return resident.Session{AgentID: st.AgentID(), Collector: st.Collector()}, nil
		},
		Check: func(ctx context.Context, _ resident.Session, a resident.Check) (*report.Report, error) {
			end, err := turn.take(ctx)
			if err != nil {
				return nil, err
			}
			defer end()
			return check.Run(ctx, st.scheduledOptions(version, a))
		},
		Store: func(ctx context.Context, r *report.Report) error {
			_, err := st.keepOrSend(ctx, r, maxSendTime)
			return err
		},
		Send: func(ctx context.Context, _ resident.Session) (uplink.Summary, error) {
			return st.sendWaiting(ctx)
		},
		Log: log,
	}
}
