package bbb

import (
	"context"
	"net/netip"

	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report"
)

// checkMeeting performs the steps that need a meeting, in the order of the client.
func checkMeeting(ctx context.Context, v *visit.Visit, about About) {
	var s session
	var m meeting
	if !v.Do(ctx, report.StepSignIn, func(ctx context.Context) (o visit.Outcome) {
		s, m, o = enter(ctx, v, about)
		return o
	}) {
		v.SkipAll(visit.StepFailed, report.StepState, report.StepSignalling, report.StepRelay)
		v.SkipMedia(visit.StepFailed)
		return
	}
	if !about.GraphQL {
		// Up to 2.7 the client joins in another way, over Meteor. Its relays can be asked.
		v.SkipAll(codeOldVersion, report.StepState, report.StepSignalling)
		if list, ok := listServers(ctx, v, s); ok {
			relaytest.Start(ctx, v, list.List, netip.Addr{}).Record()
		}
		v.SkipMedia(codeOldVersion)
		return
	}
	var p *presence
	defer func() { p.leave(ctx) }()
	if !v.Do(ctx, report.StepState, func(ctx context.Context) (o visit.Outcome) {
		p, o = attend(ctx, v, s)
		return o
	}) {
		v.SkipAll(visit.StepFailed, report.StepSignalling, report.StepRelay)
		v.SkipMedia(visit.StepFailed)
		return
	}
	list, ok := listServers(ctx, v, s)
	if !ok {
		list = serverList{}
	}
	switch {
	case m.bridge == bridgeSFU && m.hasEcho():
		call(ctx, v, s, list, ok)
		return
	case m.bridge == bridgeSFU:
		v.Skip(report.StepSignalling, codeNoEcho)
		v.SkipMedia(codeNoEcho)
	default:
		why := "other_bridge"
		if m.bridge == bridgeLiveKit {
			why = "livekit_bridge"
		}
		v.Skip(report.StepSignalling, why)
		v.SkipMedia(why)
	}
	if ok {
		relaytest.Start(ctx, v, list.List, netip.Addr{}).Record()
	}
}

// listServers asks for the relays; where that fails, it is the step for them.
func listServers(ctx context.Context, v *visit.Visit, s session) (list serverList, ok bool) {
	v.Do(ctx, report.StepRelay, func(ctx context.Context) (o visit.Outcome) {
		list, o = servers(ctx, v, s)
		ok = o.Status == report.StatusOK
		return o
	})
	return list, ok
}

// call performs the steps of the call to the echo, and tries the relays beside it as
// soon as the address of the media server is known.
func call(ctx context.Context, v *visit.Visit, s session, list serverList, listed bool) {
	var c *signaller
	defer func() { c.leave(ctx) }()
	if !v.Do(ctx, report.StepSignalling, func(ctx context.Context) (o visit.Outcome) {
		c, o = open(ctx, v, s)
		return o
	}) {
		v.SkipMedia(visit.StepFailed)
		return
	}
	e, err := newEcho(v.Env, v, list)
	if err != nil {
		v.Env.Log.Warn("no WebRTC on this machine", "err", report.ErrorText(err))
		v.SkipMedia("no_webrtc")
		return
	}
	defer e.Close()
	var relays *relaytest.Test
	v.Media(ctx, e, func(step context.Context) visit.Outcome {
		offer, err := e.Offer(step)
		if err != nil {
			return visit.Untested("no_webrtc")
		}
		answer, o := c.call(step, offer)
		if o.Status != report.StatusOK {
			return o
		}
		if e.Answer(answer) != nil {
			return visit.Fault("bad_answer")
		}
		if listed {
			relays = relaytest.Start(ctx, v, list.List, mediaAddress(answer))
		}
		return o
	})
	if why := c.hungUp(); why != "" {
		v.Explain(why, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown)
	}
	relays.Record()
}
