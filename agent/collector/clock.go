package collector

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// ClockError says that this computer's clock is wrong: the collector's certificate
// is out of date by it, and in order by the collector's own clock.
type ClockError struct{ Ours, Theirs time.Time }

func (e *ClockError) Error() string {
	return fmt.Sprintf("this computer's clock says %s, the collector's %s, by which its certificate is in order",
		e.Ours.UTC().Format(time.DateTime), e.Theirs.UTC().Format(time.DateTime))
}

// ErrExpired says that the collector's certificate is out of date by the
// collector's clock as well: it is not this computer's clock that is wrong.
var ErrExpired = errors.New("the collector's certificate is out of date, by its own clock as well")

// leastOff is how far a clock must be off to explain an expired certificate.
const leastOff = time.Minute

// askTime bounds the question for the time.
const askTime = 5 * time.Second

// Explain finds out why a certificate was refused, where err says that it is out
// of date: it asks the collector for the time over a connection that is not
// trusted, without the token. The answer may be believed where the very
// certificate is in order at it. Any other error is returned as it is.
func (e *Endpoint) Explain(ctx context.Context, err error, now func() time.Time) error {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	if !ok || invalid.Reason != x509.Expired || AtProxy(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	theirs, chain, askErr := e.askTime(ctx)
	if askErr != nil {
		return err
	}
	ours := now()
	base, baseErr := e.Base()
	if baseErr != nil || theirs.Sub(ours).Abs() < leastOff {
		return fmt.Errorf("%w: %w", ErrExpired, err)
	}
	if _, wrong := e.Pins.Verify(chain, base.Hostname(), e.RootCAs, theirs); wrong != nil {
		return fmt.Errorf("%w: %w", ErrExpired, err)
	}
	return fmt.Errorf("%w: %w", &ClockError{Ours: ours, Theirs: theirs}, err)
}

// askTime is the time that whoever answers at the collector's address tells, and
// the certificates it showed.
func (e *Endpoint) askTime(ctx context.Context) (time.Time, []*x509.Certificate, error) {
	base, err := e.Base()
	if err != nil {
		return time.Time{}, nil, err
	}
	transport := e.transport(base.Hostname())
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	transport.DisableKeepAlives = true
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath("healthz").String(), nil)
	if err != nil {
		return time.Time{}, nil, err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return time.Time{}, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.TLS == nil {
		return time.Time{}, nil, errors.New("ask for the time: no certificate was shown")
	}
	if ms, err := strconv.ParseInt(resp.Header.Get(wire.HeaderTimeMS), 10, 64); err == nil && ms > 0 && ms < 1<<43 {
		return time.UnixMilli(ms), resp.TLS.PeerCertificates, nil
	}
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return time.Time{}, nil, fmt.Errorf("ask for the time: %w", err)
	}
	return at, resp.TLS.PeerCertificates, nil
}
