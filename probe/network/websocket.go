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

// tryWebSocket upgrades a connection to the collector (RFC 6455 §4.1), sends a
// message and waits for it to come back. It tells only what is certain: that
// WebSockets get through, or that somebody in between does not let them.
func (j *journey) tryWebSocket(ctx context.Context) {
	if j.WebSocketURL == "" || j.data.Stage != stageHTTP || j.env.Clock.Sleep(ctx, j.WebSocketAfter) != nil {
		return
	}
	got, between := j.upgradeOnce(ctx)
	if got == wsCut && between {
		got, between = j.upgradeOnce(ctx) // once may be chance
	}
	switch {
	case got == wsThrough:
		j.data.WebSocket = new(true)
	case got == wsStripped && between,
		(got == wsForeign || got == wsCut) && between && ctx.Err() == nil && j.sameWithoutUpgrade(ctx):
		j.data.WebSocket = new(false)
	}
}

// upgradeOnce is one attempt on a connection of its own, and whether anybody in
// between could have read it.
func (j *journey) upgradeOnce(ctx context.Context) (got upgraded, between bool) {
	ctx, cancel := context.WithTimeout(ctx, j.StepTime)
	defer cancel()
	k, ok := j.towardCollector(ctx)
	if !ok {
		return wsUnknown, false
	}
	defer k.close()
	got = k.upgrade(ctx)
	verdict := k.pins().Judge(k.shown)
	k.noteVerdict(verdict, k)
	if j.pins() == nil {
		j.noteVerdict(verdict, k)
	}
	return got, k.couldBeRead()
}

// towardCollector is a connection to the collector, encrypted where it is to
// be. A proxy is asked for a tunnel in any case: that is how browsers do it
// (RFC 6455 §4.1), and a proxy that forwards a plain request takes the upgrade
// out of it rightly, since it holds for one hop only (RFC 9110 §7.8).
func (j *journey) towardCollector(ctx context.Context) (*journey, bool) {
	target, ok := parseTarget(j.WebSocketURL)
	if !ok {
		return nil, false
	}
	k := &journey{WebConfig: j.WebConfig, env: j.env, data: &report.NetworkWeb{}, target: target, tunnels: true}
	if !k.take(ctx, k.chooseProxy) || !k.reach(ctx) || !k.take(ctx, k.throughProxy, k.encrypt) {
		k.close()
		return nil, false
	}
	return k, true
}

// couldBeRead says whether anybody in between sees what is asked. Nobody can
// pick an upgrade out of an encrypted connection to the collector itself, and
// on this computer there is nobody: what goes wrong then is the server's own,
// such as that of a reverse proxy before it.
func (j *journey) couldBeRead() bool {
	if j.target.Scheme == "https" {
		return j.data.TLSIntercepted != nil && *j.data.TLSIntercepted
	}
	return !slices.ContainsFunc(j.addrs, netip.Addr.IsLoopback)
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

// refused reads the answer to an upgrade that was none. A server before version
// 2 of the collector, a wrong token, too many attempts: its own time stands in
// the answer, and it accuses nobody.
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
		return false
	}
	defer k.close()
	req := get(k.target)
	for name, values := range k.headers() {
		req.Header[name] = values
	}
	a, err := exchange(ctx, k.env.Clock, k.conn, req)
	return err == nil && isCollector(a.Response)
}

func isCollector(resp *http.Response) bool { return resp.Header.Get(wire.HeaderTimeMS) != "" }

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
