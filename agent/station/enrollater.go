package station

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// Waits between two attempts of the service to enrol with a stored invitation. They double with each
// attempt. A computer that starts without a network is set up when it has one. An invitation that was not
// used within a day probably leads to a wrong address, whose owner gets the code with each attempt.
const (
	minEnrolWait  = 10 * time.Second
	maxEnrolWait  = 10 * time.Minute // also the time between two looks for an invitation
	slowEnrolWait = 4 * time.Hour
	slowEnrolFrom = 24 * time.Hour
)

// LaterResult states what happened to the invitation that an installer stored.
type LaterResult string

// Results of EnrollLater.
const (
	LaterNone    LaterResult = "none"    // there is no invitation, or it is no longer needed
	LaterDone    LaterResult = "done"    // the computer is enrolled with it
	LaterWaits   LaterResult = "waits"   // the attempt failed and is repeated later
	LaterRefused LaterResult = "refused" // by the collector or the configuration
	LaterExpired LaterResult = "expired" // stored too long ago, and the collector did not answer again
)

// EnrollKept stores the invitation first, then enrols with it. If that fails for a reason that may
// disappear, such as a collector that does not answer, the result is LaterWaits with this reason:
// the service, or the next start of the program, tries again.
func (s *Station) EnrollKept(ctx context.Context, asked enroll.Invitation, version string, now time.Time) (LaterResult, error) {
	if err := durable.MkdirPrivate(s.Config.Data); err != nil {
		return LaterNone, fmt.Errorf("keep the invitation: %w", err)
	}
	unlock, err := s.lockInvitation(ctx)
	if err != nil {
		return LaterNone, err
	}
	defer unlock()
	if err := enroll.Keep(s.Config.Data, asked, s.ca, now); err != nil {
		return LaterNone, err
	}
	return s.enrollStored(ctx, version, now)
}

// EnrollLater enrols with the stored invitation, if there is one. The error is the reason for
// LaterWaits and LaterRefused. After LaterDone, LaterRefused and LaterExpired no invitation remains
// stored. If another process has enrolled this computer since s was opened, s has that enrolment
// afterwards.
func (s *Station) EnrollLater(ctx context.Context, version string, now time.Time) (LaterResult, error) {
	l, err := enroll.Kept(s.Config.Data)
	switch {
	case err != nil:
		return LaterNone, err
	case s.service != nil || s.Config.NoUpload: // not used, but a secret is not kept for ever
		return s.forgetExpired(l, now)
	case l == nil:
		return LaterNone, s.reload()
	}
	unlock, err := s.lockInvitation(ctx)
	if err != nil {
		return LaterWaits, err
	}
	defer unlock()
	if err := s.reload(); err != nil {
		return LaterWaits, err
	}
	return s.enrollStored(ctx, version, now)
}

// enrollStored is EnrollLater for a caller that holds the lock.
func (s *Station) enrollStored(ctx context.Context, version string, now time.Time) (LaterResult, error) {
	l, err := enroll.Kept(s.Config.Data)
	if err != nil || l == nil {
		return LaterNone, err
	}
	// Another process has enrolled this computer. A time in the future comes from a wrong clock and
	// proves nothing.
	if s.Enrolled() && s.id.Enrolment.EnrolledAt.After(l.Since) && !s.id.Enrolment.EnrolledAt.After(now) {
		return LaterNone, enroll.Forget(s.Config.Data)
	}
	ca, roots := s.ca, s.roots
	if !strings.Contains(s.ca, l.CA) {
		s.ca += l.CA
		s.trust()
	}
	err = s.Enroll(ctx, l.Invitation(), version)
	switch {
	case err == nil:
		return LaterDone, enroll.Forget(s.Config.Data)
	case !final(err):
		s.ca, s.roots = ca, roots
		if result, forgetErr := s.forgetExpired(l, now); result == LaterExpired {
			return result, forgetErr
		}
		return LaterWaits, err
	}
	s.ca, s.roots = ca, roots
	// A person may have typed the same code meanwhile.
	if id, loadErr := identity.Load(s.Config.Data); loadErr == nil && id.Enrolment != nil && id.Enrolment.EnrolledAt.After(l.Since) {
		return LaterNone, errors.Join(s.reload(), enroll.Forget(s.Config.Data))
	}
	return LaterRefused, errors.Join(err, enroll.Forget(s.Config.Data))
}

// forgetExpired removes an invitation that has expired; l may be nil.
func (s *Station) forgetExpired(l *enroll.Later, now time.Time) (LaterResult, error) {
	if l == nil {
		return LaterNone, nil
	}
	expired, err := l.Expired(s.Config.Data, now)
	if !expired {
		return LaterNone, err
	}
	return LaterExpired, enroll.Forget(s.Config.Data)
}

// lockInvitation waits until no other process uses the stored invitation, or for the end of ctx.
func (s *Station) lockInvitation(ctx context.Context) (unlock func(), err error) {
	type result struct {
		unlock func()
		err    error
	}
	got := make(chan result, 1)
	go func() {
		unlock, err := durable.Lock(filepath.Join(s.Config.Data, enroll.LaterLock))
		got <- result{unlock, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			return nil, fmt.Errorf("lock the invitation: %w", r.err)
		}
		return r.unlock, nil
	case <-ctx.Done():
		go func() {
			if r := <-got; r.err == nil {
				r.unlock()
			}
		}()
		return nil, fmt.Errorf("%w: another program waits for its answer: %w", enroll.ErrUnreachable, context.Cause(ctx))
	}
}

// reload reads the identity again, which another process may have enrolled.
func (s *Station) reload() error {
	id, err := identity.Load(s.Config.Data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it could not be saved
	}
	if err != nil {
		return err
	}
	before := s.id
	s.id = id
	if err := s.oneCollector(); err != nil {
		s.id = before
		return err
	}
	s.trust()
	return nil
}

// trust sets the trusted certificates: those that were given, and those of the enrolment.
func (s *Station) trust() {
	trusted := s.ca
	if s.id.Enrolment != nil {
		trusted += s.id.Enrolment.CA
	}
	s.roots = collector.RootCAs(trusted)
}

// final reports whether the same invitation would fail again. A configuration for another collector can
// be corrected.
func final(err error) bool {
	_, address := errors.AsType[*origin.Error](err)
	return address || errors.Is(err, enroll.ErrCodeInvalid) || errors.Is(err, enroll.ErrCodeForm)
}

// EnrolLater returns the loop of the service that enrols the computer with the invitation of an
// installer whose collector did not answer during the installation.
func EnrolLater(c config.Config, version string, clock probe.Clock, random func() float64, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		wait := minEnrolWait
		for {
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
			pause := maxEnrolWait // a person may store an invitation while the service runs
			if result == LaterWaits || result == LaterNone && (openErr != nil || err != nil) {
				pause = wait
				wait = min(2*wait, longestEnrolWait(c.Data, clock.Now()))
			} else {
				wait = minEnrolWait
			}
			if err := clock.Sleep(ctx, time.Duration(float64(pause)*(1+resident.Jitter*random()))); err != nil {
				return err
			}
		}
	}
}

// longestEnrolWait returns the longest wait before the next attempt with the invitation in dir.
func longestEnrolWait(dir string, now time.Time) time.Duration {
	if l, err := enroll.Kept(dir); err == nil && l != nil && now.Sub(l.Since) > slowEnrolFrom {
		return slowEnrolWait
	}
	return maxEnrolWait
}
