// Package enroll exchanges a one-time code for a token of a collector.
package enroll

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/trust"
)

// Reasons for a failed enrolment. An error of Run wraps exactly one of them, or a
// *origin.Error.
var (
	// ErrCodeForm means that the code is malformed.
	ErrCodeForm = errors.New("not an enrolment code")
	// ErrCodeInvalid means that the code is unknown, used or expired. The collector
	// does not say which, so that codes cannot be guessed.
	ErrCodeInvalid = errors.New("the code is wrong, used or expired")
	ErrTooMany     = errors.New("too many attempts, wait a minute")
	ErrUnreachable = errors.New("the collector cannot be reached")
	// ErrProxy means that the proxy does not connect to the collector.
	ErrProxy     = errors.New("the proxy does not connect to the collector")
	ErrUntrusted = errors.New("the collector's certificate is not trusted")
	// ErrCollector means that the response is not from a collector.
	ErrCollector = errors.New("the response is not from a collector")
)

// Length of a code without dashes.
const (
	minCodeChars = 6
	maxCodeChars = 32
)

// maxAnswer is far more than an enrolment response needs.
const maxAnswer = 64 << 10

// NormalizeCode accepts a code as people type it from paper: upper or lower case,
// with or without dashes and spaces, I and L for 1, O for 0 (Crockford's base32).
func NormalizeCode(s string) (string, error) {
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		switch r {
		case ' ', '\t', '\n', '\r', '-', '.', '\u2013', '\u00a0':
			continue
		case 'I', 'L':
			r = '1'
		case 'O':
			r = '0'
		}
		if !strings.ContainsRune("0123456789ABCDEFGHJKMNPQRSTVWXYZ", r) || b.Len() == maxCodeChars {
			return "", ErrCodeForm
		}
		b.WriteRune(r)
	}
	if b.Len() < minCodeChars {
		return "", ErrCodeForm
	}
	return b.String(), nil
}

// Run requests a token from the collector at e and returns the identity to save.
// Its agent id may differ from the one in me, for instance if this machine replaces
// a participant's lost one.
func Run(ctx context.Context, e *collector.Endpoint, code string, me identity.Identity, version string, now time.Time) (*identity.Identity, error) {
	code, err := NormalizeCode(code)
	if err != nil {
		return nil, err
	}
	base, err := e.Base()
	if err != nil {
		return nil, err
	}
	q := wire.EnrollRequest{Code: code, AgentID: me.AgentID}
	q.Agent.Version, q.Agent.OS, q.Agent.Arch = version, runtime.GOOS, runtime.GOARCH
	body, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("enrol: %w", err)
	}
	pins, authorities := e.Pins, []*x509.Certificate(nil)
	e.Enrolling, e.Learn = true, func(learned *trust.Pins, fresh []*x509.Certificate) { pins, authorities = learned, fresh }
	phone := ""
	e.SupportPhone = func(named string) { phone = named }
	got, err := post(ctx, e, base.JoinPath("api/v1/enroll").String(), body, now)
	if err != nil {
		return nil, fmt.Errorf("enrol at %s: %w", base.Redacted(), err)
	}
	me.AgentID = got.AgentID
	me.Enrolment = &identity.Enrolment{
		Server: base.String(), Token: got.Token, Participant: got.Participant, EnrolledAt: now.UTC(), Pins: pins,
		CA: collector.WithAuthorities("", authorities), SupportPhone: phone,
	}
	return &me, nil
}

func post(ctx context.Context, e *collector.Endpoint, url string, body []byte, now time.Time) (*wire.EnrollResponse, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := e.Client().Do(req)
	switch {
	case collector.AtProxy(err):
		return nil, fmt.Errorf("%w: %w", ErrProxy, err)
	case collector.Untrusted(err):
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, e.Explain(ctx, err, func() time.Time { return now }))
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		return nil, refusal(collector.ReadError(resp, now))
	}
	var a wire.EnrollResponse
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&a); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCollector, err)
	}
	if _, err := uuid.Parse(a.AgentID); err != nil || !collector.IsToken(a.Token) {
		return nil, fmt.Errorf("%w: agent id or token missing", ErrCollector)
	}
	return &a, nil
}

func refusal(e *collector.APIError) error {
	switch {
	// A 404 without the collector's error code comes from another web server.
	case e.Status == http.StatusNotFound && e.Code != "":
		return fmt.Errorf("%w: %w", ErrCodeInvalid, e)
	case e.Status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: %w", ErrTooMany, e)
	case e.Status >= 500:
		return fmt.Errorf("%w: %w", ErrUnreachable, e)
	}
	return fmt.Errorf("%w: %w", ErrCollector, e)
}
