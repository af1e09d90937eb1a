package bbb

import (
	"cmp"
	"context"
	"net/netip"
	"net/url"
	"strings"

	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/conference/livekit"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report"
)

// pathLiveKit is the path that nginx forwards to LiveKit (bbb-livekit, livekit.nginx).
const pathLiveKit = "/livekit"

// signallingOf returns the address of LiveKit's signalling: that of the settings, or that
// of the server itself (livekit/primary-room of bigbluebutton-html5). It returns nil if
// no client can use it.
func (m meeting) signallingOf(server *url.URL) *url.URL {
	at := &url.URL{Scheme: server.Scheme, Host: server.Host, Path: pathLiveKit}
	if m.liveKit != "" {
		told, err := url.Parse(strings.TrimSpace(m.liveKit))
		if err != nil || told.Host == "" || told.Scheme != "wss" && told.Scheme != "https" {
			return nil
		}
		at = &url.URL{Scheme: "https", Host: told.Host, Path: told.Path}
	}
	return at.JoinPath("rtc")
}

// callLiveKit performs the steps of a call in the room of the test meeting, from the first
// participant of this check to the second. Concurrent checks share the room; the second
// participant subscribes to the first one only. private reports whether LiveKit named private
// addresses only.
func callLiveKit(ctx context.Context, v *visit.Visit, m meeting, all []participant, list serverList, tryRelays func(netip.Addr)) (private bool) {
	var pair *livekit.Pair
	defer func() { pair.Leave() }()
	why := ""
	// The meeting is left together with LiveKit.
	leaving := func() {
		for _, p := range all {
			why = cmp.Or(why, p.why())
		}
		leaveAll(ctx, all)
	}
	if !v.Do(ctx, report.StepSignalling, func(ctx context.Context) (o visit.Outcome) {
		pair, o = joinLiveKit(ctx, v, m, all, list, leaving)
		return o
	}) {
		v.SkipMedia(visit.StepFailed)
		return false
	}
	// A participant whose microphone is locked publishes nothing.
	if code := all[0].awaitRules(ctx).fault(); code != "" {
		v.Do(ctx, report.StepCall, func(context.Context) visit.Outcome {
			return visit.Outcome{Status: report.StatusFail, Code: code, Elsewhere: v.URL.Hostname()} // not LiveKit's
		})
		v.SkipAll(visit.StepFailed, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown)
		return false
	}
	named := pair.Call(ctx, v, tryRelays)
	media := []report.ConferenceStep{report.StepCall, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown}
	if why != "" {
		v.Explain(why, media...)
		return false
	}
	if m.onStart && v.Data.FailedCode == codeMuted {
		v.Explain(codeOnStart, media...)
	}
	return named.OnlyPrivate
}

// joinLiveKit joins the room with both participants, with the tokens that the server
// created for them.
func joinLiveKit(ctx context.Context, v *visit.Visit, m meeting, all []participant, list serverList, leaving func()) (*livekit.Pair, visit.Outcome) {
	at := m.signallingOf(v.URL)
	if at == nil {
		return nil, visit.Fault(codeBadAddress)
	}
	if at.Host != v.URL.Host {
		v.CallHost = at.Hostname()
	}
	room := livekit.Room{URL: at, Shared: true, ICEServers: list.forPeer(), Leaving: leaving}
	if room.ICEServers == nil {
		// The client of BigBlueButton never uses the ICE servers that LiveKit names.
		room.ICEServers = []webrtc.ICEServer{}
	}
	texts, o := awaitTokens(ctx, all)
	if o.Status != report.StatusOK {
		return nil, o
	}
	room.Publish, room.Subscribe = texts[0], texts[1]
	pair, o := livekit.Join(ctx, v, room)
	o.Elsewhere = cmp.Or(o.Elsewhere, v.CallHost)
	switch {
	case o.Code == "token_refused":
		// BigBlueButton itself created the token, so it and LiveKit disagree.
		o.Code = "401"
	case o.Status == report.StatusOK && at.Host != v.URL.Host:
		o.Code = codeOtherHost
	}
	return pair, o
}

// awaitTokens waits for the tokens of all participants.
func awaitTokens(ctx context.Context, all []participant) ([]string, visit.Outcome) {
	texts, outcomes := make([]string, len(all)), make([]visit.Outcome, len(all))
	waits := make([]func(), len(all))
	for i, one := range all {
		p, ok := one.(*graphqlParticipant)
		if !ok {
			return nil, visit.Fault(codeNoToken) // before 3.0 there is no LiveKit
		}
		waits[i] = func() { texts[i], outcomes[i] = p.awaitToken(ctx) }
	}
	visit.Together(waits...)
	return texts, firstFault(outcomes)
}
