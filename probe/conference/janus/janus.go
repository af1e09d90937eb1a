// Package janus checks a Janus gateway: its API over HTTP or WebSocket, and a handle of
// its EchoTest plugin.
package janus

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Default ports of Janus (janus.transport.http, janus.transport.websockets).
const (
	portHTTP, portHTTPS           = "8088", "8089"
	portWebSocket, portWebSockets = "8188", "8989"
)

const (
	pluginEcho  = "janus.plugin.echotest"
	subprotocol = "janus-protocol"
)

// System is Janus.
type System struct{}

// Name implements conference.System.
func (System) Name() string { return report.ProbeJanus }

// Recognises reports whether an address belongs to a Janus: by its path, port or name.
func (System) Recognises(u *url.URL) bool {
	switch u.Port() {
	case portHTTP, portHTTPS, portWebSocket, portWebSockets:
		return true
	}
	return strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/janus") || strings.Contains(u.Hostname(), "janus")
}

// Base returns the address of the API.
func (System) Base(u *url.URL) *url.URL {
	path := strings.TrimSuffix(u.Path, "/")
	if path == "" && !overWebSocket(u) {
		path = "/janus"
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}
}

// overWebSocket reports whether an address is that of the WebSocket API.
func overWebSocket(u *url.URL) bool {
	return u.Scheme == "ws" || u.Scheme == "wss" || u.Port() == portWebSocket || u.Port() == portWebSockets
}

// Detect reports whether the server at v is a Janus.
func (System) Detect(ctx context.Context, v *visit.Visit) bool {
	_, over, o := info(ctx, v)
	over.close()
	return o.Status == report.StatusOK
}

// Check implements conference.System.
func (System) Check(ctx context.Context, v *visit.Visit) {
	var about message
	var over transport = posts{v}
	defer func() { over.close() }()
	var talk *session
	defer func() { talk.close() }()
	reached := v.Do(ctx, report.StepAPI, func(ctx context.Context) (o visit.Outcome) {
		about, over, o = info(ctx, v)
		return o
	})
	if !reached {
		v.Skip(report.StepSignalling, visit.StepFailed)
		v.Skip(report.StepSignIn, visit.StepFailed)
		v.SkipMedia(visit.StepFailed)
		return
	}
	v.Data.Reachable = new(true)
	if word := about.VersionString; len(word) <= 32 && strings.Trim(word, "0123456789.abcdefghijklmnopqrstuvwxyz-") == "" {
		v.Data.Version = word
	}
	signalling := v.Do(ctx, report.StepSignalling, func(ctx context.Context) (o visit.Outcome) {
		talk, o = open(ctx, v.Env, over)
		return o
	})
	if !signalling {
		why := reason(v, visit.NeedsLink)
		v.Skip(report.StepSignIn, why)
		v.SkipMedia(why)
		return
	}
	if v.NoMedia {
		v.Skip(report.StepSignIn, visit.NoCall)
		v.SkipMedia(visit.NoCall)
		return
	}
	attached := v.Do(ctx, report.StepSignIn, func(ctx context.Context) visit.Outcome { return talk.attach(ctx, pluginEcho) })
	if !attached {
		v.SkipMedia(reason(v, notOffered))
		return
	}
	echo(ctx, v, talk)
}

// notOffered: the gateway has no EchoTest.
const notOffered = "not_offered"

// reason returns why the steps after a step are not tested: that it failed, or untested if it was
// not tested either.
func reason(v *visit.Visit, untested string) string {
	if v.Data.FailedStep == "" {
		return untested
	}
	return visit.StepFailed
}

// info requests the description of the gateway. The transport must be closed, even after a
// fault; a WebSocket serves the whole check.
func info(ctx context.Context, v *visit.Visit) (message, transport, visit.Outcome) {
	if overWebSocket(v.URL) {
		w, o := dial(ctx, v)
		if w == nil {
			return message{}, posts{v}, o
		}
		m, err := w.request(ctx, message{Janus: "info"})
		return m, w, judge(m, err, m.Janus == "server_info")
	}
	a, err := v.Get(ctx, v.URL.JoinPath("info"), nil)
	if err != nil {
		return message{}, posts{v}, visit.Failed(err)
	}
	if a.Status != http.StatusOK {
		return message{}, posts{v}, visit.StatusFault(a.Status)
	}
	m, err := parse(a.Body)
	return m, posts{v}, judge(m, err, m.Janus == "server_info")
}

// Errors of the gateway (apierror.h).
const (
	codeSecret   = 403 // it requires a secret
	codeNoPlugin = 460 // the plugin is missing
)

// refusal returns the outcome for an error of the gateway.
func refusal(m message) visit.Outcome {
	return visit.StatusFault(m.Error.Code)
}

// transaction returns a new identifier for a request.
func transaction() string { return rand.Text()[:12] }
