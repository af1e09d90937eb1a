package visit

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/network/proxy"
	"github.com/tonprobe/tonprobe/probe/report"
)

// ErrTooLong means that a response exceeds MaxAnswerBytes.
var ErrTooLong = errors.New("the response is too long")

// errRedirects means that there were more redirects than are followed, as in a loop.
var errRedirects = errors.New("too many redirects")

// RedirectError is a redirect to another host. It is not followed: a check must contact only
// servers that the person or the collector has named.
type RedirectError struct{ To *url.URL }

func (e *RedirectError) Error() string { return "redirected to another host" }

// Answer is an HTTP response with its body.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// URL is its address, after redirects.
	URL *url.URL
}

// web is the HTTP client of one visit.
type web struct {
	client    *http.Client
	transport *http.Transport
	// tls is the configuration for connections outside of transport. It is not the
	// transport's: net/http changes that one at the first request.
	tls   *tls.Config
	ahead atomic.Pointer[ahead] // nil for none
	// shared is closed when a request uses a connection of HTTP/2, answered when the server has
	// responded to a request.
	shared, answered *event
	// private and public are set when a request or a WebSocket uses a connection to such an
	// address, of the server or of a proxy.
	private, public atomic.Bool
}

// event is a channel that is closed once.
type event struct {
	c    chan struct{}
	once sync.Once
}

func newEvent() *event { return &event{c: make(chan struct{})} }

func (e *event) happen() { e.once.Do(func() { close(e.c) }) }

// reachedPublicly reports whether the server, and each other one of the check, was reached over
// public addresses only. It returns false if that is unknown, as behind a proxy.
func (v *Visit) reachedPublicly() bool {
	return v.web.public.Load() && !v.web.private.Load() && !v.ThroughProxy()
}

// noteAddress records the address at the other end of a connection.
func (w *web) noteAddress(c net.Conn) {
	switch at, err := netip.ParseAddrPort(c.RemoteAddr().String()); {
	case err != nil:
	case IsPrivate(at.Addr()):
		w.private.Store(true)
	default:
		w.public.Store(true)
	}
}

// watched returns ctx with the events of a request.
func (w *web) watched(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) {
			if c, ok := i.Conn.(*tls.Conn); ok && c.ConnectionState().NegotiatedProtocol == "h2" {
				w.shared.happen()
			}
			w.noteAddress(i.Conn)
		},
		GotFirstResponseByte: w.answered.happen,
	})
}

func newWeb(v *Visit) *web {
	// The WebSockets of a visit resume its first TLS session: without certificates, a
	// handshake takes a fraction of the traffic.
	config := &tls.Config{RootCAs: v.RootCAs, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	t := &http.Transport{
		DialContext:            v.Env.Dial,
		TLSClientConfig:        config.Clone(),
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout:        10 * time.Second,
	}
	if !v.Direct {
		t.Proxy = proxy.NewFinder(proxy.Config{Dial: v.Env.Dial, Resolver: lookup.System(), Now: v.Env.Clock.Now}).ForRequest
	}
	jar, _ := cookiejar.New(nil) // never fails
	return &web{transport: t, tls: config, shared: newEvent(), answered: newEvent(), client: &http.Client{
		Transport: t, Jar: jar,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			switch {
			case r.URL.Host != v.URL.Host || r.URL.Scheme != v.URL.Scheme:
				return &RedirectError{To: r.URL}
			case len(via) > maxRedirects:
				return errRedirects
			}
			return nil
		},
	}}
}

// Proxy returns the function that determines the proxy for an address; nil for none.
func (v *Visit) Proxy() func(*http.Request) (*url.URL, error) { return v.web.transport.Proxy }

func (w *web) close() {
	w.ahead.Load().close()
	w.transport.CloseIdleConnections()
}

// Web returns the address of the web server for that of a WebSocket; others are
// unchanged.
func Web(u *url.URL) *url.URL {
	web := *u
	switch u.Scheme {
	case "ws":
		web.Scheme = "http"
	case "wss":
		web.Scheme = "https"
	}
	return &web
}

// At returns the URL of a path of the server.
func (v *Visit) At(path string) *url.URL { return v.URL.ResolveReference(&url.URL{Path: path}) }

// Get requests a page of the server.
func (v *Visit) Get(ctx context.Context, at *url.URL, header http.Header) (*Answer, error) {
	return v.Ask(ctx, http.MethodGet, at, header, nil)
}

// Ask sends a request and reads at most MaxAnswerBytes of the response.
func (v *Visit) Ask(ctx context.Context, method string, at *url.URL, header http.Header, body io.Reader) (*Answer, error) {
	r, err := http.NewRequestWithContext(v.web.watched(ctx), method, at.String(), body)
	if err != nil {
		return nil, fmt.Errorf("query the conference server: %w", err)
	}
	if header != nil {
		r.Header = header.Clone()
	}
	r.Header.Set("User-Agent", "tonprobe")
	began := v.Env.Clock.Now()
	resp, err := v.web.client.Do(r)
	v.note(ctx, method, at, resp, began)
	v.trip.note(v.Env.Clock.Now().Sub(began))
	if err != nil {
		return nil, fmt.Errorf("query the conference server: %w", err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswerBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the conference server's answer: %w", err)
	}
	if len(got) > MaxAnswerBytes {
		return nil, ErrTooLong
	}
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: got, URL: resp.Request.URL}, nil
}

// WebSocket opens a WebSocket. If the server responds without one, the status is
// returned with the error, otherwise 0.
func (v *Visit) WebSocket(ctx context.Context, at *url.URL, protocols ...string) (*websocket.Conn, int, error) {
	return v.WebSocketAs(ctx, at, "", protocols...)
}

// TryWebSocket opens a WebSocket without signing in, and closes it again.
func (v *Visit) TryWebSocket(ctx context.Context, at *url.URL) Outcome {
	conn, status, err := v.WebSocket(ctx, at)
	if err != nil {
		return UnsignedFault(status, err)
	}
	_ = conn.CloseNow()
	return OK()
}

// UnsignedFault is SocketFault for a WebSocket without a sign-in. nginx of BigBlueButton and
// LiveKit reject it with 401. Other machines on the path reject with 403, and so does a server
// that admits some networks only: this says nothing about a participant with a link.
func UnsignedFault(status int, err error) Outcome {
	switch status {
	case http.StatusUnauthorized:
		return Outcome{Status: report.StatusOK, Code: "asks_sign_in"}
	case http.StatusForbidden:
		return Untested(NeedsLink)
	}
	return SocketFault(status, err)
}

// WebSocketAs is WebSocket with a bearer token (RFC 6750); "" for none. In a URL it would
// occur in the logs of proxies.
func (v *Visit) WebSocketAs(ctx context.Context, at *url.URL, token string, protocols ...string) (*websocket.Conn, int, error) {
	// A WebSocket handshake is HTTP/1.1 (RFC 6455 §4.1); a client that offers h2 by ALPN
	// would negotiate that.
	t := v.web.transport.Clone()
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	t.DialTLSContext = v.dialSocket
	// The connection of a WebSocket does not return to the pool.
	defer t.CloseIdleConnections()
	header := http.Header{"User-Agent": {"tonprobe"}, "Origin": {v.URL.Scheme + "://" + v.URL.Host}}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	began := v.Env.Clock.Now()
	// Dial closes the body of the response.
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { v.web.noteAddress(i.Conn) }})
	conn, resp, err := websocket.Dial(traced, at.String(), &websocket.DialOptions{ //nolint:bodyclose
		HTTPClient:   &http.Client{Transport: t, Jar: v.web.client.Jar, CheckRedirect: v.web.client.CheckRedirect},
		HTTPHeader:   header,
		Subprotocols: protocols,
	})
	v.note(ctx, "WebSocket", at, resp, began)
	if err != nil {
		status := 0
		if resp != nil {
			status = resp.StatusCode
		}
		return nil, status, fmt.Errorf("open a WebSocket to the conference server: %w", err)
	}
	conn.SetReadLimit(MaxAnswerBytes)
	return conn, http.StatusSwitchingProtocols, nil
}

// StatusFault returns the outcome for an HTTP status or another number of the server, which is
// the code. No system uses numbers below 1.
func StatusFault(status int) Outcome {
	if status < 1 {
		return Fault("not_api")
	}
	return Fault(strconv.Itoa(status))
}

// SocketFault is the outcome of a WebSocket that was not opened, by the results of
// [Visit.WebSocket].
func SocketFault(status int, err error) Outcome {
	switch word := FaultOf(err); {
	case status == 0, word == "redirected", word == "redirect_loop":
		return Failed(err)
	case status < http.StatusMultipleChoices:
		return Fault("not_api") // a web page instead of a WebSocket
	}
	return StatusFault(status)
}

// SignedIn reports whether a status means that the server requires a sign-in: the
// request reached it, and nothing on the path rejected it.
func SignedIn(status int) bool {
	return slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden}, status)
}

// streamError is the error of an HTTP/2 stream that the server reset (RFC 9113 §5.4.2).
// The type in net/http is not exported, but converts itself to a type with these fields.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string { return "the server reset the stream" }

// connectionFault describes a connection error in one word.
func connectionFault(err error) string {
	var dns *net.DNSError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var timeout net.Error
	var reset streamError
	switch {
	case errors.Is(err, context.Canceled):
		return "stopped"
	case errors.As(err, &dns):
		return "no_name"
	case errors.As(err, &invalid), errors.As(err, &name), errors.As(err, &authority):
		return "certificate"
	case errors.As(err, &record), errors.As(err, &alert):
		return "no_tls"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &reset), websocket.CloseStatus(err) >= 0:
		return "cut_off"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "unreachable"
	}
	return "no_answer"
}
