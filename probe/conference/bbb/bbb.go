// Package bbb checks a BigBlueButton server (2.4 to 4.0) as its client would reach it.
//
// Without a join link it performs the steps that require no meeting: the API and version,
// the round trip that the client displays, and the two WebSockets of a session up to the
// request for a session token. With a join link it joins, requests the relays, and calls
// the echo of the server if the SFU transports the sound. It never calls the conference
// room, and never sends a digit, since a "1" moves the caller there. LiveKit has no echo;
// if it transports the sound, two participants of this check join the test meeting, one
// of which receives the voice of the other. All participants leave in the end.
package bbb

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Paths of the server (docs.bigbluebutton.org/development/api; nginx of bbb-web, SFU and
// GraphQL).
const (
	pathAPI        = "/bigbluebutton/api"
	pathRoundTrip  = "/bigbluebutton/rtt-check"
	pathSignalling = "/bbb-webrtc-sfu"
	pathState      = "/graphql"
	pathMeeting    = "/api/rest/meetingStaticData"
	pathServers    = "/bigbluebutton/api/stuns"
)

// aheadSockets is the number of WebSockets that every meeting needs: one for the state of the
// meeting, and one for the signalling of the sound.
const aheadSockets = 2

// System is BigBlueButton.
type System struct{}

// Name implements conference.System.
func (System) Name() string { return report.ProbeBBB }

// Recognises reports whether an address belongs to a BigBlueButton server: by the paths
// of its API, its client and Greenlight, or by its name.
func (System) Recognises(u *url.URL) bool {
	for _, path := range []string{"/bigbluebutton", "/html5client", "/rooms/", "/b/", "/playback/presentation"} {
		if u.Path == strings.TrimSuffix(path, "/") || strings.HasPrefix(u.Path, strings.TrimSuffix(path, "/")+"/") {
			return true
		}
	}
	return slices.ContainsFunc(strings.FieldsFunc(u.Hostname(), func(r rune) bool { return r == '.' || r == '-' }), func(part string) bool {
		return strings.HasPrefix(part, "bbb") || strings.HasPrefix(part, "bigbluebutton")
	})
}

// Base returns the address of the API: the rest of a pasted link may open a meeting.
func (System) Base(u *url.URL) *url.URL {
	return &url.URL{Scheme: visit.Web(u).Scheme, Host: u.Host, Path: "/bigbluebutton"}
}

// Detect reports whether the server at v is a BigBlueButton.
func (System) Detect(ctx context.Context, v *visit.Visit) bool {
	_, o := ask(ctx, v)
	return o.Status == report.StatusOK
}

// Check implements conference.System.
func (System) Check(ctx context.Context, v *visit.Visit) {
	var about About
	var entering *earlyEntry
	if v.JoinLink != nil && !v.NoMedia {
		v.OpenAhead(ctx, aheadSockets)
		entering = beginEntry(ctx, v)
	}
	reached := v.Do(ctx, report.StepAPI, func(ctx context.Context) visit.Outcome {
		var o visit.Outcome
		about, o = ask(ctx, v)
		return o
	})
	v.Data.Version = about.Version
	if reached {
		v.Data.Reachable = new(true)
		if entering != nil {
			entering.about <- about
			checkMeeting(ctx, v, about, entering)
			return
		}
		trips := beginRoundTrips(ctx, v)
		calls := v.Begin(ctx, report.StepSignalling, func(ctx context.Context) visit.Outcome { return signalling(ctx, v) })
		var joins *visit.Early
		if about.GraphQL {
			joins = v.Begin(ctx, report.StepState, func(ctx context.Context) visit.Outcome { return state(ctx, v) })
		}
		v.Finish(trips)
		v.Finish(calls)
		if joins != nil {
			v.Finish(joins)
		}
	} else {
		if entering != nil {
			close(entering.about)
			entering.step.Abandon()
			entering.step.Wait()
		}
		v.SkipAll(visit.StepFailed, report.StepRoundTrip, report.StepSignalling)
	}
	why := visit.NeedsLink
	switch {
	case v.NoMedia:
		why = visit.NoCall
	case v.JoinLink != nil, !reached:
		why = visit.StepFailed
	}
	v.SkipAll(why, report.StepSignIn, report.StepRelay)
	v.SkipMedia(why)
}

// beginRoundTrips starts the series of requests by which the client measures its round
// trip, once the given steps have ended.
func beginRoundTrips(ctx context.Context, v *visit.Visit, after ...*visit.Early) *visit.Early {
	return v.Begin(ctx, report.StepRoundTrip, func(ctx context.Context) visit.Outcome {
		return v.RoundTrips(ctx, v.GetSeries(v.At(pathRoundTrip), func(a *visit.Answer) bool { return a.Status < http.StatusMultipleChoices }))
	}, after...)
}

// ask requests the version. A response that is not the API's comes from another server,
// or is a maintenance page.
func ask(ctx context.Context, v *visit.Visit) (About, visit.Outcome) {
	// 3.0 responds in JSON to this type, and then contains the GraphQL addresses.
	a, err := v.Get(ctx, v.At(pathAPI), http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/xml"}})
	if err != nil {
		return About{}, visit.Failed(err)
	}
	if a.Status != http.StatusOK {
		return About{}, visit.StatusFault(a.Status)
	}
	about, err := ParseAbout(a.Body)
	if err != nil {
		return About{}, visit.Fault("not_api")
	}
	return about, visit.OK()
}

// signalling opens the WebSocket of the SFU without a session. nginx queries bbb-web first and
// rejects the request with 401, even if a machine on the path has removed the upgrade. So this does
// not prove that WebSockets pass.
func signalling(ctx context.Context, v *visit.Visit) visit.Outcome {
	at := v.At(pathSignalling)
	at.RawQuery = "sessionToken=tonprobe"
	return v.TryWebSocket(ctx, at)
}

// closeNotAuthorised is the close code for a connection without a session
// (bbb-graphql-middleware/internal/websrv/connhandler.go).
const closeNotAuthorised = 4403

// state opens the GraphQL WebSocket of 3.0 and later without a session.
func state(ctx context.Context, v *visit.Visit) visit.Outcome {
	conn, status, err := v.WebSocket(ctx, v.At(pathState), "graphql-transport-ws", "graphql-ws")
	if err != nil {
		return visit.UnsignedFault(status, err)
	}
	defer conn.CloseNow()
	hello := map[string]any{"type": "connection_init", "payload": map[string]any{"headers": map[string]any{
		"X-Session-Token": "tonprobe", "X-ClientSessionUUID": "tonprobe", "X-ClientType": "HTML5", "X-ClientIsMobile": "false",
	}}}
	if err := wsjson.Write(ctx, conn, hello); err != nil {
		return closed(err)
	}
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			return closed(err)
		}
	}
}

// closed returns the outcome for the way in which the server ended a connection without
// a session.
func closed(err error) visit.Outcome {
	switch code := websocket.CloseStatus(err); {
	case code == closeNotAuthorised:
		return visit.Outcome{Status: report.StatusOK, Code: "asks_sign_in"}
	case code > 0:
		return visit.StatusFault(int(code))
	}
	return visit.Failed(err)
}
