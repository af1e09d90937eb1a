package network

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
)

// upgraded is what became of one attempt to use a WebSocket.
type upgraded int

const (
	// wsUnknown: it did not come to the attempt, or the collector itself
	// answered in a way that says nothing about those in between.
	wsUnknown upgraded = iota
	// wsThrough: a message went there and came back.
	wsThrough
	// wsStripped: the collector says that the request came without its upgrade.
	wsStripped
	// wsForeign: somebody who is not the collector answered.
	wsForeign
	// wsCut: the connection broke or fell silent once the upgrade was asked for.
	wsCut
)

// Who kept a WebSocket from coming about, as NetworkWeb.WebSocketBy has it.
const (
	byBetween = "between"
	byServer  = "server"
	byUnknown = "unknown"
)

// tryWebSocket upgrades a connection to the collector (RFC 6455 §4.1), sends a
// message and waits for it to come back. An answer that bears the collector's
// mark is its own, and its refusals (a wrong token, too many attempts) say nothing
// of those in between; that it never saw the upgrade does. Without the mark it is
// another machine's.
func (j *journey) tryWebSocket(ctx context.Context) {
	if j.WebSocketURL == "" || j.data.Stage != stageHTTP {
		return
	}
	if _, err := j.env.Enter(ctx, PhaseWebSocket); err != nil {
		return
	}
	got, by := j.upgradeOnce(ctx)
	if got == wsCut {
		got, by = j.upgradeOnce(ctx) // once may be chance
	}
	switch {
	case got == wsThrough:
		j.data.WebSocket = new(true)
	case got == wsStripped, (got == wsForeign || got == wsCut) && ctx.Err() == nil && j.sameWithoutUpgrade(ctx):
		j.data.WebSocket, j.data.WebSocketBy = new(false), by
	}
}

// upgradeOnce is one attempt on a connection of its own, and who is to blame if it
// fails.
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
	if by = k.whoCouldBlock(); by == byUnknown && j.data.TLSIntercepted != nil && *j.data.TLSIntercepted {
		by = byBetween // seen at the connection before
	}
	return got, by
}

// refusesTunnel says that a proxy does not connect to the collector, although it
// brought its page: without TLS pages need no tunnel, and WebSockets do.
func (j *journey) refusesTunnel() bool {
	return j.proxy != nil && j.target.Scheme == "http" && j.data.HTTPStatus != nil
}

// towardCollector is a connection to the collector, encrypted where it is to
// be. A proxy is asked for a tunnel in any case: that is how browsers do it
// (RFC 6455 §4.1), and a proxy that forwards a plain request takes the upgrade
// out of it rightly, since it holds for one hop only (RFC 9110 §7.8). Where the
// connection does not come about the journey is closed, or nil.
func (j *journey) towardCollector(ctx context.Context) (*journey, bool) {
	target, ok := parseTarget(j.WebSocketURL)
	if !ok {
		return nil, false
	}
	k := &journey{WebConfig: j.WebConfig, env: j.env, data: &report.NetworkWeb{}, target: target, tunnels: true}
	if !k.take(ctx, k.chooseProxy) || !k.reach(ctx) || !k.take(ctx, k.throughProxy, k.encrypt) {
		k.close()
		return k, false
	}
	return k, true
}

// whoCouldBlock says where a machine can stand that picks an upgrade out of this
// connection. In the clear, and in TLS that is opened on the way, that is in
// between. In TLS that is known to end at the collector's own key it is behind
// that, such as a reverse proxy. Where the key is not known, or server and client
// are one computer, it may be either.
func (j *journey) whoCouldBlock() string {
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
	// The connection is there already, encryption and all, so that for the
	// client it is one in the clear.
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
		return wsUnknown // the other side ended it in order
	case err != nil:
		return wsCut
	}
	return wsUnknown // another server's greeting, perhaps
}

// refused reads the answer to an upgrade that was none.
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

// sameWithoutUpgrade says whether the collector answers the very request once
// the upgrade is left out of it.
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

// isCollector tells the collector's own answer by its mark. Collectors before the
// mark tell their time, which nobody else does either.
func isCollector(resp *http.Response) bool {
	return resp.Header.Get(wire.HeaderCollector) == wire.CollectorValue || resp.Header.Get(wire.HeaderTimeMS) != ""
}

func (j *journey) headers() http.Header {
	h := http.Header{"User-Agent": {userAgent}}
	if j.Token != "" {
		h.Set("Authorization", "Bearer "+j.Token)
	}
	j.askKeys(h)
	return h
}

// only is a client that knows the journey's connection and no other, so that it
// follows nobody elsewhere either.
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
