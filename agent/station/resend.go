package station

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// resendEvery is how often the service looks for reports that were not sent after their check.
	resendEvery = 10 * time.Minute
	resendTime  = 2 * time.Minute // limits one attempt
	// resendFactor is how much longer the interval is on a metered line, and while the computer
	// saves power, except in the time resendBefore before a session: support must see its check.
	resendFactor = 6
	resendBefore = time.Hour
)

// Resend returns the loop of the service that sends the reports that could not be sent after their
// check. It does not depend on the checks, because the next one may be hours away. It waits while a
// session is in progress, except for one attempt to send the report of the check before it.
func Resend(c config.Config, conditions *Conditions, clock probe.Clock, random func() float64, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		omitted := 0
		var tried time.Time // the start of the last session with an attempt
		for {
			if err := clock.Sleep(ctx, time.Duration(float64(resendEvery)*(1+resident.Jitter*random()))); err != nil {
				return err
			}
			now := clock.Now()
			session := conditions.session(now)
			var err error
			switch {
			case session != nil && session.StartsAt.Equal(tried):
			case session != nil:
				var found bool
				if found, err = resendCheck(ctx, c, session.StartsAt.Add(-resendBefore), log); found {
					tried = session.StartsAt
				}
			case omitted < resendFactor-1 && conditions.sparing() && !conditions.sessionWithin(now, resendBefore):
				omitted++
			default:
				omitted = 0
				err = resend(ctx, c, log)
			}
			if err != nil && ctx.Err() == nil {
				log.Debug("reports not sent yet", "err", report.ErrorText(err))
			}
		}
	}
}

// resendCheck makes one attempt to send the newest waiting report of a check that was made after the
// time after. found means that there is such a report.
func resendCheck(ctx context.Context, c config.Config, after time.Time, log *slog.Logger) (found bool, err error) {
	st, err := Open(c, log)
	if err != nil || !st.Enrolled() || c.NoUpload {
		return false, err
	}
	sp, err := OpenSpool(ctx, c, log)
	if err != nil {
		return false, err
	}
	waiting, err := sp.List(spool.Waiting)
	if err != nil {
		return false, err
	}
	for _, e := range slices.Backward(waiting) {
		if e.Time.Before(after) {
			break
		}
		doc, err := sp.Read(e)
		if err != nil {
			continue // its defect is reported by the next attempt after the session
		}
		if r, err := report.Decode(doc); err != nil || r.Trigger == report.TriggerEvent { // an event has had its attempt
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, deliverSoonTime)
		defer cancel()
		return true, st.uplink(sp).Deliver(ctx, e.ID)
	}
	return false, nil
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
