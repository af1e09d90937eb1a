package station

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// Waits between two attempts of the service to enrol with a stored invitation. They double with each
// attempt. A computer that starts without a network is set up when it has one.
const (
	minEnrolWait = 10 * time.Second
	maxEnrolWait = 10 * time.Minute
)

// LaterResult states what happened to the invitation that an installer stored.
type LaterResult string

// Results of EnrollLater.
const (
	LaterNone    LaterResult = "none" // there is no invitation, or it is no longer needed
	LaterDone    LaterResult = "done" // the computer is enrolled with it
	LaterWaits   LaterResult = "waits"
	LaterRefused LaterResult = "refused" // by the collector or the configuration
	LaterExpired LaterResult = "expired" // stored too long ago
)

// EnrollKept stores the invitation first, then enrols with it. If that fails for a reason that may
// disappear, such as a collector that does not answer, the result is LaterWaits with this reason:
// the service, or the next start of the program, tries again. The machine's service must not run.
func (s *Station) EnrollKept(ctx context.Context, asked enroll.Invitation, version string, now time.Time) (LaterResult, error) {
	if err := enroll.Keep(s.Config.Data, asked, now); err != nil {
		return LaterNone, err
	}
	return s.EnrollLater(ctx, version, now)
}

// EnrollLater enrols with the stored invitation, if there is one. The error is the reason for
// LaterWaits and LaterRefused. Except with LaterWaits, nothing remains stored.
func (s *Station) EnrollLater(ctx context.Context, version string, now time.Time) (LaterResult, error) {
	l, err := enroll.Kept(s.Config.Data)
	switch {
	case err != nil, l == nil:
		return LaterNone, err
	case s.Enrolled() && s.id.Enrolment.EnrolledAt.After(l.Since): // somebody was faster
		return LaterNone, enroll.Forget(s.Config.Data)
	case l.Expired(now):
		return LaterExpired, enroll.Forget(s.Config.Data)
	}
	err = s.Enroll(ctx, l.Invitation(), version)
	if err == nil {
		return LaterDone, enroll.Forget(s.Config.Data)
	}
	if !final(err) {
		return LaterWaits, err
	}
	// The code is used if the service and a program tried at the same time.
	if id, loadErr := identity.Load(s.Config.Data); loadErr == nil && id.Enrolment != nil && id.Enrolment.EnrolledAt.After(l.Since) {
		return LaterNone, enroll.Forget(s.Config.Data)
	}
	return LaterRefused, errors.Join(err, enroll.Forget(s.Config.Data))
}

// final reports whether the same invitation would fail again.
func final(err error) bool {
	_, elsewhere := errors.AsType[*ConfiguredElsewhereError](err)
	_, address := errors.AsType[*origin.Error](err)
	return elsewhere || address || errors.Is(err, enroll.ErrCodeInvalid) || errors.Is(err, enroll.ErrCodeForm)
}

// EnrolLater returns the loop of the service that enrols the computer with the invitation of an
// installer whose collector did not answer during the installation.
func EnrolLater(c config.Config, version string, clock probe.Clock, random func() float64, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		for wait := minEnrolWait; ; wait = min(2*wait, maxEnrolWait) {
			result, err := LaterNone, error(nil)
			st, openErr := Open(c, log)
			if openErr == nil {
				result, err = st.EnrollLater(ctx, version, clock.Now())
			}
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case result == LaterDone:
				log.Info("this computer is set up with the code of the installation", "collector", st.Recipient())
			case result == LaterRefused:
				log.Error("the code of the installation cannot be used, a new one is needed", "err", report.ErrorText(err))
			case result == LaterExpired:
				log.Error("the code of the installation was never used and has expired, a new one is needed")
			case result == LaterWaits:
				log.Warn("this computer is not set up yet, the code of the installation is tried again", "err", report.ErrorText(err))
			case openErr != nil || err != nil:
				log.Warn("the invitation of the installation cannot be read", "err", report.ErrorText(errors.Join(openErr, err)))
			}
			if result != LaterWaits && openErr == nil {
				<-ctx.Done() // only an installation stores an invitation, which starts the service again
				return context.Cause(ctx)
			}
			if err := clock.Sleep(ctx, time.Duration(float64(wait)*(1+resident.Jitter*random()))); err != nil {
				return err
			}
		}
	}
}
