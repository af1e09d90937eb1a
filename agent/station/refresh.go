package station

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// refreshEvery is how often the targets and the announcement of a new version are
	// requested without a check that needs them.
	refreshEvery = 24 * time.Hour
	refreshRetry = time.Hour
	// refreshUsed is the age from which on a program in use requests them.
	refreshUsed = 10 * time.Minute
	// refreshTime limits the request, for which a person's program waits at its end.
	refreshTime = 3 * time.Second
	// refreshSession is the wait before another attempt while a session is in progress.
	refreshSession = 10 * time.Minute
)

// RefreshTargets requests the targets and the announcement of a new version if the stored
// ones are older than a day. It does nothing if the service does so, or if sending is
// disabled.
func (s *Station) RefreshTargets(ctx context.Context, now time.Time) error {
	return s.refreshOlder(ctx, now, refreshEvery)
}

// RefreshSessions is RefreshTargets for a program that a person uses now: so that a person can report a
// disturbance in a session that was entered recently.
func (s *Station) RefreshSessions(ctx context.Context, now time.Time) error {
	return s.refreshOlder(ctx, now, refreshUsed)
}

func (s *Station) refreshOlder(ctx context.Context, now time.Time, than time.Duration) error {
	if s.service != nil || !s.Enrolled() || s.Config.NoUpload {
		return nil
	}
	// A file from the future, caused by a clock that was set back, must not prevent requests for years.
	if info, err := os.Stat(s.targetsPath()); err == nil && now.Sub(info.ModTime()).Abs() < than {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	got, err := s.Collector().Targets(ctx, "")
	if err != nil {
		return err
	}
	s.learnTargets(check.WithoutCredentials(*got))
	return os.Chtimes(s.targetsPath(), now, now) // unchanged targets are not written again
}

// Refresh returns the loop of the service that calls RefreshTargets, but not during a session.
func Refresh(c config.Config, conditions *Conditions, clock probe.Clock, random func() float64, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			wait := refreshEvery
			st, err := Open(c, log)
			silent := conditions.inSession(clock.Now())
			if err == nil && !silent {
				err = st.RefreshTargets(ctx, clock.Now())
			}
			switch {
			case silent:
				wait = refreshSession
			case err != nil || !st.Enrolled():
				wait = refreshRetry
			}
			if err != nil && ctx.Err() == nil {
				log.Debug("the conference systems could not be requested", "err", report.ErrorText(err))
			}
			// Agents that start at the same time must not send their requests at the same
			// time.
			if err := clock.Sleep(ctx, time.Duration(float64(wait)*(1+resident.Jitter*random()))); err != nil {
				return err
			}
		}
	}
}
