package roster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/tonprobe/tonprobe/server/outbound"
)

// Limits of what is read from a server.
const (
	// MaxDocumentBytes limits one document, after decompression.
	MaxDocumentBytes = 16 << 20
	maxTotalBytes    = 256 << 20
	maxRequests      = 20_000
	maxRedirects     = 5
	requestTimeout   = 30 * time.Second
)

// Access restricts the servers to which requests are sent.
type Access struct {
	// AllowPrivate permits servers in private networks and on this machine. Without it,
	// an address in a foreign document cannot be used to reach servers that only this
	// machine can reach.
	AllowPrivate bool
	// Client sends the requests; nil means one with the system's trusted certificates. Its
	// redirects are checked as well. If it has a transport, the caller is responsible for
	// AllowPrivate.
	Client *http.Client
}

// fetcher requests documents of one server: the same scheme, host and port.
type fetcher struct {
	origin   *url.URL
	client   *http.Client
	private  bool
	requests int
	bytes    int64
}

// newFetcher returns the fetcher for the server of an address.
func newFetcher(address string, a Access) (*fetcher, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%.200q is not a valid address: it must begin with https://", address)
	case u.User != nil:
		return nil, fmt.Errorf("the address of %s contains a user name: only public interfaces can be read", u.Host)
	}
	u.Host = asciiHost(u)
	f := &fetcher{origin: u, private: a.AllowPrivate}
	client := http.Client{}
	if a.Client != nil {
		client = *a.Client
	}
	if client.Transport == nil {
		client.Transport = f.transport()
	}
	client.CheckRedirect = f.checkRedirect
	client.Jar = nil
	f.client = &client
	return f, nil
}

// transport connects to public addresses only, unless AllowPrivate is set. The address is
// checked when the connection is opened, after the name was resolved, so a name that
// changes its address does not evade the check. A proxy from the environment may be in a
// private network.
func (f *fetcher) transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{Timeout: 10 * time.Second}
		host, _, err := net.SplitHostPort(address)
		if err == nil && strings.EqualFold(host, f.origin.Hostname()) && !f.private {
			d.Control = outbound.RefusePrivate
		}
		return d.DialContext(ctx, network, address)
	}
	t.ResponseHeaderTimeout = requestTimeout
	t.MaxResponseHeaderBytes = 1 << 16
	return t
}

func (f *fetcher) checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("the server redirects more than %d times", maxRedirects)
	}
	return f.checkOrigin(r.URL)
}

func (f *fetcher) checkOrigin(u *url.URL) error {
	if u.Scheme == f.origin.Scheme && strings.EqualFold((&url.URL{Host: asciiHost(u)}).Hostname(), f.origin.Hostname()) && portOf(u) == portOf(f.origin) && u.User == nil {
		return nil
	}
	return fmt.Errorf("%s %w: %.200s", f.origin.Host, ErrForeign, u.Redacted())
}

// asciiHost returns the host of u with its port, in the form used for connecting and
// comparing: a name with other letters is encoded according to UTS #46.
func asciiHost(u *url.URL) string {
	name, err := idna.Lookup.ToASCII(u.Hostname())
	if err != nil || name == u.Hostname() {
		return u.Host // an IP address, or a name that cannot be resolved
	}
	if port := u.Port(); port != "" {
		return net.JoinHostPort(name, port)
	}
	return name
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// resolve returns the absolute form of a link in a document. Servers behind a proxy often write
// http:// into their documents although they are reached by https://: such a link to the same
// host without a port is requested by https.
func (f *fetcher) resolve(base *url.URL, link string) (*url.URL, error) {
	if len(link) > 2000 {
		return nil, fmt.Errorf("%w: a link of %d bytes", ErrFormat, len(link))
	}
	u, err := base.Parse(strings.TrimSpace(link))
	if err != nil {
		return nil, fmt.Errorf("%w: %.100q is not a link", ErrFormat, link)
	}
	u.Fragment = ""
	u.Host = asciiHost(u)
	if u.Scheme == "http" && f.origin.Scheme == "https" && u.Port() == "" && strings.EqualFold(u.Hostname(), f.origin.Hostname()) && f.origin.Port() == "" {
		u.Scheme = "https"
	}
	return u, f.checkOrigin(u)
}

// statusError is an answer other than 200.
type statusError struct {
	url    string
	status int
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s answers %d %s", e.url, e.status, http.StatusText(e.status))
}

// get returns a document.
func (f *fetcher) get(ctx context.Context, u *url.URL, accept string) ([]byte, error) {
	if err := f.checkOrigin(u); err != nil {
		return nil, err
	}
	if f.requests++; f.requests > maxRequests {
		return nil, fmt.Errorf("the source is %w: it needs more than %d requests", ErrTooLarge, maxRequests)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("User-Agent", "tonprobe-collector")
	answer, err := f.client.Do(r)
	if err != nil {
		return nil, explain(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, &statusError{u.Redacted(), answer.StatusCode}
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, MaxDocumentBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", u.Redacted(), err)
	}
	if f.bytes += int64(len(b)); len(b) > MaxDocumentBytes || f.bytes > maxTotalBytes {
		return nil, fmt.Errorf("%s is %w: at most %d MiB in one document and %d MiB in all", u.Redacted(), ErrTooLarge, MaxDocumentBytes>>20, maxTotalBytes>>20)
	}
	return b, nil
}

// explain adds advice to the error of a request.
func explain(err error) error {
	switch {
	case errors.Is(err, ErrPrivate):
		return fmt.Errorf("%w: if this is your own server, allow it with --allow-private", err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %v: %w", requestTimeout, err)
	}
	return err
}
