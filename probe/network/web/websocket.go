package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// upgraded is the result of one attempt to use a WebSocket.
type upgraded int

const (
	// wsUnknown: there was no attempt, or the collector's own response says nothing about middleboxes.
	wsUnknown upgraded = iota
	// wsThrough: a message was sent and returned.
	wsThrough
	// wsStripped: the collector reports that the request arrived without its upgrade.
	wsStripped
	// wsForeign: another machine than the collector responded.
	wsForeign
	// wsCut: the connection broke or became silent after the upgrade request.
	wsCut
)

// Who prevented a WebSocket, as in NetworkWeb.WebSocketBy.
const (
	byBetween = "between"
	byServer  = "server"
	byUnknown = "unknown"
)

// tryWebSocket upgrades a connection to the collector (RFC 6455 §4.1), sends a message and waits
// for its return. A response with the collector's header is its own, and its refusals (a wrong
// token, too many attempts) say nothing about middleboxes; that it received no upgrade does. A
// response without the header comes from another machine.
func (j *journey) tryWebSocket(ctx context.Context) {
	if j.WebSocketURL == "" || j.data.Stage != stageHTTP {
		return
	}
	if _, err := j.env.Enter(ctx, PhaseWebSocket); err != nil {
		return
	}
	if j.Token != nil {
		j.token = j.Token(ctx)
	}
	got, by := j.upgradeOnce(ctx)
	if got == wsCut {
		got, by = j.upgradeOnce(ctx) // a single failure may be chance
	}
	switch {
	case got == wsThrough:
		j.data.WebSocket = new(true)
	case got == wsStripped, (got == wsForeign || got == wsCut) && ctx.Err() == nil && j.sameWithoutUpgrade(ctx):
		j.data.WebSocket, j.data.WebSocketBy = new(false), by
	}
}

// upgradeOnce makes one attempt on a new connection and returns who is responsible for a failure.
func (j *journey) upgradeOnce(ctx context.Context) (got upgraded, by string) {
	ctx, cancel := context.WithTimeout(ctx, j.StepTime)
	defer cancel()
	k, ok := j.towardCollector(ctx)
	if !ok {
		if k != nil && k.refusesTunnel() {
			return wsForeign, byBetween
		}
		return wsUnknown, ""
	}
	defer k.close()
	got = k.upgrade(ctx)
	verdict := k.pins().Judge(k.shown)
	k.noteVerdict(verdict, k)
	if j.pins() == nil {
		j.noteVerdict(verdict, k)
	}
	if by = k.possibleBlocker(); by == byUnknown && j.data.TLSIntercepted != nil && *j.data.TLSIntercepted {
		by = byBetween // detected on the previous connection
	}
	return got, by
}

// refusesTunnel reports whether a proxy does not connect to the collector although it delivered its
// page: without TLS pages need no tunnel, but WebSockets do.
func (j *journey) refusesTunnel() bool {
	return j.proxy != nil && j.target.Scheme == "http" && j.data.HTTPStatus != nil
}

// towardCollector connects to the collector, with TLS if its address requires it. A proxy is always
// asked for a tunnel, like in browsers (RFC 6455 §4.1), because a proxy that forwards a plain
// request rightly removes the upgrade, which is a hop-by-hop header (RFC 9110 §7.8). If the
// connection fails, the journey is closed or nil.
func (j *journey) towardCollector(ctx context.Context) (*journey, bool) {
	target, ok := origin.Page(j.WebSocketURL)
	if !ok {
		return nil, false
	}
	k := &journey{Config: j.Config, env: j.env, token: j.token, data: &report.NetworkWeb{}, target: target, tunnels: true}
	if !k.take(ctx, k.chooseProxy) || !k.reach(ctx) || !k.take(ctx, k.throughProxy, k.encrypt) {
		k.close()
		return k, false
	}
	return k, true
}

// possibleBlocker returns where a machine that blocks the upgrade of this connection can be. Without
// TLS, or if TLS is intercepted, it is between the two ends. If TLS is known to end at the
// collector's own key it is behind that, such as a reverse proxy. If the key is unknown, or server
// and client are one computer, both are possible.
func (j *journey) possibleBlocker() string {
	switch intercepted := j.data.TLSIntercepted; {
	case j.target.Scheme == "https" && intercepted == nil:
		return byUnknown
	case j.target.Scheme == "https" && *intercepted:
		return byBetween
	case j.target.Scheme == "https":
		return byServer
	case j.proxy == nil && slices.ContainsFunc(j.addrs, netip.Addr.IsLoopback):
		return byUnknown
	}
	return byBetween
}

// upgrade uses the connection for a WebSocket.
func (j *journey) upgrade(ctx context.Context) upgraded {
	message := make([]byte, 32)
	if _, err := io.ReadFull(j.env.Rand, message); err != nil {
		return wsUnknown
	}
	// The connection exists already, including TLS, so for the client it is a plain one.
	at := &url.URL{Scheme: "http", Host: j.target.Host, Path: j.target.Path}
	conn, resp, err := websocket.Dial(ctx, at.String(), &websocket.DialOptions{
		HTTPClient:      j.only(),
		HTTPHeader:      j.headers(),
		CompressionMode: websocket.CompressionDisabled,
	})
	if resp != nil {
		j.readKeys(resp.Header)
	}
	if err != nil {
		j.env.Log.Info("no WebSocket", "err", report.ErrorText(err))
		return refused(resp)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(wire.MaxWebSocketBytes)
	if err := conn.Write(ctx, websocket.MessageBinary, message); err != nil {
		return wsCut
	}
	kind, echoed, err := conn.Read(ctx)
	switch {
	case err == nil && kind == websocket.MessageBinary && bytes.Equal(echoed, message):
		return wsThrough
	case websocket.CloseStatus(err) != -1:
		return wsUnknown // the other side sent a close frame (RFC 6455 §5.5.1)
	case err != nil:
		return wsCut
	}
	return wsUnknown // possibly the greeting of another server
}

// refused evaluates a response to an upgrade that was refused.
func refused(resp *http.Response) upgraded {
	switch {
	case resp == nil:
		return wsCut
	case !isCollector(resp):
		return wsForeign
	case resp.StatusCode == http.StatusUpgradeRequired:
		return wsStripped
	}
	return wsUnknown
}

// sameWithoutUpgrade reports whether the collector answers the same request without the upgrade.
func (j *journey) sameWithoutUpgrade(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, j.StepTime)
	defer cancel()
	k, ok := j.towardCollector(ctx)
	if !ok {
		return k != nil && k.refusesTunnel() // the page itself came without a tunnel
	}
	defer k.close()
	req := get(k.target)
	for name, values := range k.headers() {
		req.Header[name] = values
	}
	a, err := exchange(ctx, k.env.Clock, k.conn, req)
	return err == nil && isCollector(a.Response)
}

// isCollector recognises the collector's own response by its header. Earlier collectors only have
// the time header.
func isCollector(resp *http.Response) bool {
	return resp.Header.Get(wire.HeaderCollector) == wire.CollectorValue || resp.Header.Get(wire.HeaderTimeMS) != ""
}

func (j *journey) headers() http.Header {
	h := http.Header{"User-Agent": {userAgent}}
	if j.token != "" {
		h.Set("Authorization", "Bearer "+j.token)
	}
	j.askKeys(h)
	return h
}

// only returns a client that uses the journey's connection and does not follow redirects.
func (j *journey) only() *http.Client {
	conns := make(chan net.Conn, 1)
	conns <- j.conn
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				select {
				case c := <-conns:
					return plainConn{c}, nil
				default:
					return nil, net.ErrClosed
				}
			},
			MaxResponseHeaderBytes: maxHeaderBytes,
			TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
		},
	}
}

// plainConn hides from package http that a connection is encrypted.
type plainConn struct{ net.Conn }
