package collector

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/trust"
)

// ClockError means that this computer's clock is wrong: the collector's certificate is
// invalid at this time, and valid at the collector's own time.
type ClockError struct{ Ours, Theirs time.Time }

func (e *ClockError) Error() string {
	return fmt.Sprintf("this computer's clock says %s, the collector's %s, by which its certificate is valid",
		e.Ours.UTC().Format(time.DateTime), e.Theirs.UTC().Format(time.DateTime))
}

// ErrExpired means that the collector's certificate has expired by the collector's
// clock as well, so this computer's clock is not the cause.
var ErrExpired = errors.New("the collector's certificate has expired, also by the collector's own clock")

// minClockError is the smallest clock error that is accepted as the cause of an expired
// certificate.
const minClockError = time.Minute

// askTime limits the request for the time.
const askTime = 5 * time.Second

// ErrIntercepted means that another party answers with its own certificate.
var ErrIntercepted = errors.New("the encrypted connection to the collector is intercepted")

// Explain determines why a certificate was refused. Over an untrusted connection and
// without the token it requests the collector's time and keys. The time is credible if
// the certificate is valid at it; the keys are signed. An error with another cause is
// returned unchanged.
func (e *Endpoint) Explain(ctx context.Context, err error, now func() time.Time) error {
	if !Untrusted(err) {
		return err
	}
	base, baseErr := e.Base()
	if baseErr != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	said, askErr := e.ask(ctx, base)
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	if !ok || invalid.Reason != x509.Expired {
		if askErr == nil && e.Pins.Judge(said.contact) == trust.Foreign {
			return fmt.Errorf("%w: %w", ErrIntercepted, err)
		}
		return err
	}
	if askErr != nil || said.at.IsZero() {
		return err
	}
	ours := now()
	if said.at.Sub(ours).Abs() < minClockError {
		return fmt.Errorf("%w: %w", ErrExpired, err)
	}
	if _, wrong := e.Pins.Verify(said.contact.Chain, base.Hostname(), e.RootCAs, said.at); wrong != nil {
		return fmt.Errorf("%w: %w", ErrExpired, err)
	}
	return fmt.Errorf("%w: %w", &ClockError{Ours: ours, Theirs: said.at}, err)
}

// said is the response from the collector's address over an untrusted connection.
type said struct {
	contact trust.Contact
	at      time.Time // zero: the response contained no time
}

func (e *Endpoint) ask(ctx context.Context, base *url.URL) (*said, error) {
	transport := e.Transport()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	transport.DisableKeepAlives = true
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath("healthz").String(), nil)
	if err != nil {
		return nil, err
	}
	nonce := newNonce()
	req.Header.Set(wire.HeaderKeys, nonce)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("request without verification: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.TLS == nil {
		return nil, errors.New("request without verification: no certificate was presented")
	}
	s := &said{contact: trust.Contact{Chain: resp.TLS.PeerCertificates}}
	if keys, ok := wire.ParseKeys(resp.Header.Get(wire.HeaderKeys), nonce); ok {
		s.contact.Keys = &keys
	}
	if ms, err := strconv.ParseInt(resp.Header.Get(wire.HeaderTimeMS), 10, 64); err == nil && ms > 0 && ms < 1<<43 {
		s.at = time.UnixMilli(ms)
	} else if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		s.at = at
	}
	return s, nil
}
