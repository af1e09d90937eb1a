package network

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// tryWebSocket asks for an upgrade (RFC 6455 §4.1) on a connection of its own,
// by the way that has just worked for a page. It tells only what is certain:
// that the upgrade got through, or that somebody in between did not let it.
func (j *journey) tryWebSocket(ctx context.Context) {
	if j.WebSocketPath == "" || j.data.Stage != stageHTTP || j.data.ServerHealthy == nil || !*j.data.ServerHealthy {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, j.StepTime)
	defer cancel()
	k := &journey{WebConfig: j.WebConfig, env: j.env, data: &report.NetworkWeb{}, target: j.target}
	defer k.close()
	for _, step := range []func(context.Context) bool{k.chooseProxy, k.lookUp, k.connect, k.throughProxy, k.encrypt} {
		if !step(ctx) {
			return
		}
	}
	req, ok := k.upgrade()
	if !ok {
		return
	}
	a, err := exchange(ctx, j.env.Clock, k.conn, req)
	switch {
	case err == nil && a.StatusCode == http.StatusSwitchingProtocols:
		j.data.WebSocket = new(true)
	case err == nil && a.Header.Get(wire.HeaderTimeMS) != "":
		// The collector itself answered: with or without the Upgrade header on
		// its way, that is not known.
	case j.somebodyBetween() && ctx.Err() == nil:
		j.data.WebSocket = new(false)
	}
}

// somebodyBetween says whether anybody could have read the request: without
// one, what went wrong is the server's own.
func (j *journey) somebodyBetween() bool {
	return j.proxy != nil || j.target.Scheme == "http" || j.data.TLSIntercepted != nil && *j.data.TLSIntercepted
}

func (j *journey) upgrade() (outgoing, bool) {
	var key [16]byte
	if _, err := io.ReadFull(j.env.Rand, key[:]); err != nil {
		return outgoing{}, false
	}
	at := *j.target
	at.Path, at.RawQuery = j.WebSocketPath, ""
	req := get(&url.URL{Scheme: at.Scheme, Host: at.Host, Path: at.Path})
	req.Close = false
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "websocket")
	req.Header.Set("Sec-WebSocket-Version", "13")
	req.Header.Set("Sec-WebSocket-Key", base64.StdEncoding.EncodeToString(key[:]))
	req.absolute = j.proxy != nil && at.Scheme == "http" && !isSOCKS(j.proxy)
	return req, true
}
