package station

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// A token is replaced at an age between minTokenAge and maxTokenAge.
	minTokenAge = 24 * 24 * time.Hour
	maxTokenAge = 30 * 24 * time.Hour
	// renewEvery is how often the service checks the age of the token.
	renewEvery = time.Hour
	// askedPause is the shortest time between two attempts on request of the collector.
	askedPause = 10 * time.Minute
	// renewTime limits the two requests of a renewal.
	renewTime = 20 * time.Second
)

// tokenLock is held while a token is replaced, so that two programs do not request the next one at
// the same time: the second request would make the token of the first one invalid.
const tokenLock = "token.lock"

// errNoRenewal means that the collector is an older version that issues no new tokens.
var errNoRenewal = errors.New("the collector issues no new tokens")

// tokens returns the stored tokens, which another program may have replaced.
func (s *Station) tokens() []string {
	id, err := identity.Load(s.Config.Data)
	if err != nil || !sameEnrolment(id.Enrolment, s.id.Enrolment) {
		return nil
	}
	return []string{id.Enrolment.Token, id.Enrolment.FormerToken}
}

// sameEnrolment reports whether a is b, with a newer token at most.
func sameEnrolment(a, b *identity.Enrolment) bool {
	return a != nil && b != nil && a.Server == b.Server && a.EnrolledAt.Equal(b.EnrolledAt)
}

// renewToken replaces the token if it is due, or if asked. The next token is stored, together with
// the present one, before it is used for the first time: whenever this process or the collector is
// killed, one of the stored tokens is valid.
func (s *Station) renewToken(ctx context.Context, asked bool, now time.Time, random func() float64) error {
	unlock, err := durable.Lock(filepath.Join(s.Config.Data, tokenLock))
	if err != nil {
		return fmt.Errorf("renew the token: %w", err)
	}
	defer unlock()
	fresh, err := Open(s.Config, s.log) // another program may have renewed it while this one waited
	if err != nil {
		return fmt.Errorf("renew the token: %w", err)
	}
	due, err := fresh.renewalDue(now, random)
	if err != nil || !due && !asked || !fresh.Enrolled() {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, renewTime)
	defer cancel()
	e := fresh.Collector()
	e.Renew = nil
	client := e.Client()
	defer client.CloseIdleConnections()
	if asked { // another program may have answered the same request
		var state wire.TokenState
		if _, err := askToken(ctx, e, client, http.MethodGet, http.StatusOK, &state); err != nil || !state.Renew && !due {
			return err
		}
	}
	var next wire.TokenResponse
	used, err := askToken(ctx, e, client, http.MethodPost, http.StatusCreated, &next)
	if err != nil {
		return err
	}
	if !collector.IsToken(next.Token) {
		return errors.New("renew the token: the response contains none")
	}
	stored := false
	err = identity.Update(s.Config.Data, func(id *identity.Identity) error {
		if sameEnrolment(id.Enrolment, fresh.id.Enrolment) {
			id.Enrolment.Token, id.Enrolment.FormerToken = next.Token, used
			id.Enrolment.RenewAt = renewAt(now, random)
			stored = true
		}
		return nil
	})
	if err != nil || !stored {
		return err
	}
	e.Token = next.Token
	if _, err := askToken(ctx, e, e.Client(), http.MethodGet, http.StatusOK, new(wire.TokenState)); err != nil {
		return fmt.Errorf("use the new token: %w", err) // the next request uses it
	}
	s.log.Info("the token was replaced")
	return nil
}

// renewalDue reports whether the token has reached its age. An agent that was enrolled by
// an older version, or whose clock was wrong, gets a random time, so that not all of them
// renew on the same day.
func (s *Station) renewalDue(now time.Time, random func() float64) (bool, error) {
	e := s.id.Enrolment
	if e == nil {
		return false, nil
	}
	if at := e.RenewAt; !at.IsZero() && at.Sub(now) <= maxTokenAge {
		return !now.Before(at), nil
	}
	err := s.updateEnrolment(func(e *identity.Enrolment) {
		e.RenewAt = now.UTC().Add(time.Duration(random() * float64(maxTokenAge)))
	})
	return false, err
}

func renewAt(now time.Time, random func() float64) time.Time {
	return now.UTC().Add(minTokenAge + time.Duration(random()*float64(maxTokenAge-minTokenAge)))
}

// askToken sends one request about the token, and returns the token with which it was accepted.
func askToken(ctx context.Context, e *collector.Endpoint, client *http.Client, method string, want int, into any) (used string, err error) {
	base, err := e.Base()
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, method, base.JoinPath(wire.PathToken).String(), nil)
	if err != nil {
		return "", fmt.Errorf("renew the token: %w", err)
	}
	e.Authorise(req)
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("renew the token: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != want {
		refused := collector.ReadError(resp, time.Now())
		if refused.Status == http.StatusNotFound && refused.Code != "" {
			return "", errNoRenewal
		}
		return "", fmt.Errorf("renew the token: %w", refused)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 4<<10)).Decode(into); err != nil {
		return "", fmt.Errorf("read the new token: %w", err)
	}
	return collector.TokenOf(resp.Request), nil
}

// renewer replaces the token while a program runs.
type renewer struct {
	config config.Config
	// silent reports whether a session is in progress, during which a renewal waits unless the
	// collector requested it; nil means that no sessions are known.
	silent func(now time.Time) bool
	log    *slog.Logger
	asked  chan struct{}
}

func newRenewer(c config.Config, silent func(time.Time) bool, log *slog.Logger) *renewer {
	return &renewer{config: c, silent: silent, log: log, asked: make(chan struct{}, 1)}
}

// ask requests a renewal without waiting for it.
func (r *renewer) ask() {
	select {
	case r.asked <- struct{}{}:
	default:
	}
}

// reporting returns open with endpoints that report requests of the collector to r.
func (r *renewer) reporting(open func() (*collector.Endpoint, error)) func() (*collector.Endpoint, error) {
	return func() (*collector.Endpoint, error) {
		e, err := open()
		if err == nil {
			e.Renew = r.ask
		}
		return e, err
	}
}

// run replaces the token when it is due or the collector requests it, until ctx is done.
func (r *renewer) run(ctx context.Context) {
	every := time.NewTicker(renewEvery)
	defer every.Stop()
	asked, lastSaid := false, ""
	var failed time.Time
	for {
		if !asked || time.Since(failed).Abs() >= askedPause {
			switch err := r.renew(ctx, asked); {
			case err == nil:
				asked, lastSaid, failed = false, "", time.Time{}
			case ctx.Err() == nil:
				failed = time.Now()
				if text := report.ErrorText(err); text != lastSaid {
					lastSaid = text
					r.log.Info("the token was not replaced", "err", err)
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		case <-r.asked:
			asked = true
		}
	}
}

func (r *renewer) renew(ctx context.Context, asked bool) error {
	if !asked && r.silent != nil && r.silent(time.Now()) {
		return nil
	}
	st, err := Open(r.config, r.log)
	if err != nil || !st.Enrolled() || r.config.NoUpload {
		return err
	}
	return st.renewToken(ctx, asked, time.Now(), rand.Float64)
}
