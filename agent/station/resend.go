package station

import (
	"context"
	"log/slog"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// resendEvery is how often the service looks for reports that were not sent after their check.
	resendEvery = 10 * time.Minute
	resendTime  = 2 * time.Minute
	// resendFactor is how much longer the interval is on a metered line, and while the computer
	// saves power.
	resendFactor = 6
)

// Resend returns the loop of the service that sends the reports that could not be sent after their
// check. It does not depend on the checks, because the next one may be hours away. It waits while a
// session is in progress.
func Resend(c config.Config, conditions *Conditions, clock probe.Clock, random func() float64, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			wait := resendEvery
			if conditions.sparing() {
				wait *= resendFactor
			}
			if err := clock.Sleep(ctx, time.Duration(float64(wait)*(1+resident.Jitter*random()))); err != nil {
				return err
			}
			if conditions.inSession(clock.Now()) {
				continue
			}
			if err := resend(ctx, c, log); err != nil && ctx.Err() == nil {
				log.Debug("reports not sent yet", "err", report.ErrorText(err))
			}
		}
	}
}

func resend(ctx context.Context, c config.Config, log *slog.Logger) error {
	st, err := Open(c, log)
	if err != nil || !st.Enrolled() {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, resendTime)
	defer cancel()
	sum, err := st.sendWaiting(ctx)
	if len(sum.Delivered)+len(sum.Quarantined) > 0 {
		log.Info("sent", "delivered", len(sum.Delivered), "set_aside", len(sum.Quarantined))
	}
	return err
}

// sendWaiting sends the waiting reports until none is left or ctx is done, unless sending is
// disabled.
func (s *Station) sendWaiting(ctx context.Context) (uplink.Summary, error) {
	if s.Config.NoUpload {
		return uplink.Summary{}, nil
	}
	sp, err := OpenSpool(ctx, s.Config, s.log)
	if err != nil {
		return uplink.Summary{}, err
	}
	return s.uplink(sp).Drain(ctx)
}
