package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// A check makes at most two attempts, and one request without the upgrade. Burst and timeout limit
// the sockets that one agent can keep open.
const (
	webSocketBurst = 9
	webSocketEvery = 10 * time.Second
	webSocketTime  = 10 * time.Second
)

// echoWebSocket accepts an upgrade (RFC 6455 §4.2.2), echoes the first message and closes. Agents
// use it to test whether WebSockets work.
func (a *API) echoWebSocket(w http.ResponseWriter, r *http.Request, c caller) error {
	if wait, ok := a.byWebSocket.Allow(c.ID); !ok {
		return tooMany(wait)
	}
	if err := wantUpgrade(w, r); err != nil {
		return err
	}
	// No compression: middleboxes could only break it. The origin is not checked: a browser cannot
	// send the token.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		a.Log.DebugContext(r.Context(), "upgrade to a WebSocket failed", "err", err)
		return nil // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }()
	ctx, cancel := context.WithTimeout(r.Context(), webSocketTime)
	defer cancel()
	if err := echoMessage(ctx, conn); err != nil {
		a.Log.DebugContext(ctx, "no message arrived over the WebSocket", "err", err)
	}
	return nil
}

// wantUpgrade distinguishes a request whose upgrade was removed by a proxy from an invalid one.
func wantUpgrade(w http.ResponseWriter, r *http.Request) error {
	switch {
	case !names(r.Header, "Connection", "upgrade") || !names(r.Header, "Upgrade", "websocket"):
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket") // required by RFC 9110 §15.5.22
		return fault(http.StatusUpgradeRequired, "upgrade_missing", "the request to upgrade to a WebSocket did not arrive: something on the path removed it")
	case r.ProtoMajor != 1, r.Header.Get("Sec-WebSocket-Version") != "13", r.Header.Get("Sec-WebSocket-Key") == "":
		return fault(http.StatusBadRequest, "upgrade_invalid", "this is not a valid WebSocket upgrade (RFC 6455)")
	}
	return nil
}

// names reports whether a header with a list (RFC 9110 §7.8) contains a token.
func names(h http.Header, header, token string) bool {
	for _, line := range h.Values(header) {
		for one := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(one), token) {
				return true
			}
		}
	}
	return false
}

func echoMessage(ctx context.Context, conn *websocket.Conn) error {
	conn.SetReadLimit(wire.MaxWebSocketBytes)
	kind, message, err := conn.Read(ctx)
	if err != nil {
		return fmt.Errorf("read the message: %w", err)
	}
	if err := conn.Write(ctx, kind, message); err != nil {
		return fmt.Errorf("echo the message: %w", err)
	}
	return conn.Close(websocket.StatusNormalClosure, "")
}
