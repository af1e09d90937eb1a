package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// The steps, as in NetworkWeb.Stage, which names the last successful one.
const (
	stageDNS  = "dns"
	stageTCP  = "tcp"
	stageTLS  = "tls"
	stageHTTP = "http"
)

const (
	proxyAuthRequired             = 407 // RFC 9110 §15.5.8
	networkAuthenticationRequired = 511 // RFC 6585 §6, sent by captive portals only
)

// Limits against a server that never stops sending.
const (
	maxHeaderBytes  = 64 << 10
	maxInterim      = 5 // 1xx responses before the final one
	userAgent       = "tonprobe"
	jumpOfWallClock = 100 * time.Millisecond
)

// journey is one attempt to reach the server, as far as it succeeded.
type journey struct {
	Config
	env     probe.Env
	data    *report.NetworkWeb
	token   string // result of Config.Token
	target  *url.URL
	began   time.Time
	proxies []*url.URL // remaining proxies in order of preference
	proxy   *url.URL   // the proxy in use; nil means none
	// tunnels requests a tunnel from a proxy even if a plain request would be sufficient.
	tunnels bool
	// proxyFault is the fault of the last proxy that failed.
	proxyFault string

	addrs []netip.Addr // of the first hop: the proxy, otherwise the server
	conn  net.Conn
	// connecting is the pass of [PhaseConnect]; nil before.
	connecting *probe.Pass
	dialErrs   []error
	dnsErr     error
	shown      trust.Contact // certificates presented by the server, trusted or not
	answer     *answer
	// nonce was sent with the request for the collector's keys.
	nonce string
}

// answer is an HTTP response.
type answer struct {
	*http.Response
	sent, firstByte time.Time
	// beyondBytes is the number of bytes that followed the header immediately.
	beyondBytes int
}

// leave ends [PhaseConnect].
func (j *journey) leave() {
	if j.connecting != nil {
		j.connecting.Leave()
	}
}

func (j *journey) close() {
	j.leave()
	if j.conn != nil {
		_ = j.conn.Close()
	}
}

// hop returns the URL of the first machine to connect to.
func (j *journey) hop() *url.URL {
	if j.proxy != nil {
		return j.proxy
	}
	return j.target
}

// lookUp resolves the first hop. Behind a proxy the proxy resolves the server's name.
func (j *journey) lookUp(ctx context.Context) bool {
	host := j.hop().Hostname()
	if addr, err := netip.ParseAddr(host); err == nil {
		j.addrs, j.data.Stage = []netip.Addr{addr}, stageDNS
		return true
	}
	start := j.env.Clock.Now()
	addrs, err := j.Resolver.LookupNetIP(ctx, "ip", host)
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{IsNotFound: true}
	}
	if err != nil && ctx.Err() != nil {
		err = context.DeadlineExceeded
	}
	if err != nil {
		j.dnsErr, j.data.DNSError = err, dnsFault(err)
		return false
	}
	if isUnspecified(addrs) {
		j.data.DNSError = dnsFalse
		return false
	}
	j.data.DNSMS = j.since(start)
	j.addrs, j.data.Stage = lookup.Alternate(addrs), stageDNS
	return true
}

// connect tries all addresses, each with a head start before the next one.
func (j *journey) connect(ctx context.Context) bool {
	conn, took, errs := dialAll(ctx, j.env, j.addrs, origin.Port(j.hop()))
	j.dialErrs = errs
	if conn == nil {
		return false
	}
	j.conn, j.data.Stage = conn, stageTCP
	j.data.TCPMS = report.Milliseconds(took)
	return true
}

// dialAll returns the first established connection and the time it took, or all errors.
func dialAll(ctx context.Context, env probe.Env, addrs []netip.Addr, port string) (net.Conn, time.Duration, []error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type dialled struct {
		conn net.Conn
		took time.Duration
		err  error
	}
	results := make(chan dialled, len(addrs))
	for i, addr := range addrs {
		go func() {
			if err := env.Clock.Sleep(ctx, time.Duration(i)*lookup.HeadStart); err != nil {
				results <- dialled{err: err}
				return
			}
			start := env.Clock.Now()
			conn, err := env.Dial(ctx, "tcp", net.JoinHostPort(addr.String(), port))
			results <- dialled{conn, env.Clock.Now().Sub(start), err}
		}()
	}
	var errs []error
	for i := range addrs {
		r := <-results
		if r.err != nil {
			errs = append(errs, r.err)
			continue
		}
		go func() { // closes later connections
			for range len(addrs) - 1 - i {
				if late := <-results; late.conn != nil {
					_ = late.conn.Close()
				}
			}
		}()
		return r.conn, r.took, nil
	}
	return nil, 0, errs
}

// encrypt performs the TLS handshake with the server.
func (j *journey) encrypt(ctx context.Context) bool {
	if j.target.Scheme != "https" {
		return true
	}
	start := j.env.Clock.Now()
	conn, shown, err := handshake(ctx, j.conn, j.target.Hostname(), j.RootCAs, j.pins())
	j.shown = shown
	if err != nil {
		j.data.TLSError = tlsFault(err)
		if j.data.TLSError == "" {
			return false // not a TLS fault: the line failed
		}
		if j.data.TLSError == "untrusted" {
			j.data.TLSIncomplete = new(trust.Incomplete(shown.Chain))
		}
		j.askUntrusted(ctx, conn)
		return false
	}
	j.conn, j.data.Stage = conn, stageTLS
	j.data.TLSMS = j.since(start)
	return true
}

// request requests the page and evaluates the header of the response.
func (j *journey) request(ctx context.Context) bool {
	req := get(j.target)
	j.askKeys(req.Header)
	if j.proxy != nil && j.target.Scheme == "http" && !isSOCKS(j.proxy) {
		req.absolute = true
	}
	a, err := exchange(ctx, j.env.Clock, j.conn, req)
	if err != nil {
		j.env.Log.Info("no answer over HTTP", "err", report.ErrorText(err))
		return false
	}
	j.answer = a
	j.data.HTTPStatus = new(a.StatusCode)
	if a.StatusCode == proxyAuthRequired && j.proxy != nil {
		return false
	}
	j.data.Stage = stageHTTP
	j.data.HTTPMS = report.Milliseconds(a.firstByte.Sub(a.sent))
	j.judgeHealth()
	j.readClock(a)
	j.readKeys(a.Header)
	return true
}

// judgeHealth attributes 5xx to the server, unless a middlebox may have sent it.
func (j *journey) judgeHealth() {
	status := j.answer.StatusCode
	fault := status >= 500 && status <= 599
	between := j.proxy != nil && j.target.Scheme == "http"
	switch {
	case status == networkAuthenticationRequired, fault && between, j.redirectsElsewhere(j.answer.Response) && j.target.Scheme == "http":
	default:
		j.data.ServerHealthy = new(!fault)
	}
}

// outgoing is a request; absolute selects its form for a proxy (RFC 9112 §3.2.2).
type outgoing struct {
	*http.Request
	absolute bool
}

func get(u *url.URL) outgoing {
	return outgoing{Request: &http.Request{
		Method: http.MethodGet, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"User-Agent": {userAgent}, "Accept": {"*/*"}},
		Close:  true,
	}}
}

// exchange writes a request and reads the header of the response. The body is not read.
func exchange(ctx context.Context, clock probe.Clock, conn net.Conn, req outgoing) (*answer, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	write := req.Write
	if req.absolute {
		write = req.WriteProxy
	}
	a := &answer{sent: clock.Now()}
	if err := write(conn); err != nil {
		return nil, err
	}
	r := bufio.NewReader(io.LimitReader(conn, maxHeaderBytes))
	if _, err := r.Peek(1); err != nil {
		return nil, err
	}
	a.firstByte = clock.Now()
	for range maxInterim {
		resp, err := http.ReadResponse(r, req.Request)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			a.Response, a.beyondBytes = resp, r.Buffered()
			return a, nil
		}
	}
	return nil, errors.New("only interim answers")
}

func (j *journey) since(start time.Time) *float64 {
	return report.Milliseconds(j.env.Clock.Now().Sub(start))
}
