package bbb

import (
	"context"
	"net/netip"
	"sync"

	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report"
)

// checkMeeting performs the steps that require a meeting, in the same order as the
// client.
func checkMeeting(ctx context.Context, v *visit.Visit, about About) {
	var sessions []session
	var m meeting
	if !v.Do(ctx, report.StepSignIn, func(ctx context.Context) (o visit.Outcome) {
		sessions, m, o = enter(ctx, v, about)
		return o
	}) {
		v.SkipAll(visit.StepFailed, report.StepState, report.StepSignalling, report.StepRelay)
		v.SkipMedia(visit.StepFailed)
		return
	}
	if about.beforeSFU() {
		// Its client transports the sound in another way. The relays can still be tested.
		v.SkipAll(codeOldVersion, report.StepState, report.StepSignalling)
		if list, ok := listServers(ctx, v, sessions[0]); ok {
			relaytest.Start(ctx, v, list.List, netip.Addr{}).Record()
		}
		v.SkipMedia(codeOldVersion)
		return
	}
	var all []participant
	defer func() { leaveAll(ctx, all) }()
	if !v.Do(ctx, report.StepState, func(ctx context.Context) (o visit.Outcome) {
		all, o = attendAll(ctx, v, about, sessions)
		if m.onStart && o.Code == "" {
			o.Code = codeOnStart
		}
		return o
	}) {
		v.SkipAll(visit.StepFailed, report.StepSignalling, report.StepRelay)
		v.SkipMedia(visit.StepFailed)
		return
	}
	list, ok := listServers(ctx, v, sessions[0])
	if !ok {
		list = serverList{}
	}
	var relays *relaytest.Test
	tryRelays := func(media netip.Addr) {
		if ok && relays == nil {
			relays = relaytest.Start(ctx, v, list.List, media)
		}
	}
	sound(ctx, v, about, m, sessions[0], all, list, tryRelays)
	tryRelays(netip.Addr{}) // if no call yielded the address of a media server
	relays.Record()
}

// sound performs the steps of a call with the audio bridge of the meeting.
func sound(ctx context.Context, v *visit.Visit, about About, m meeting, s session, all []participant, list serverList, tryRelays func(netip.Addr)) {
	why := "other_bridge"
	switch {
	case all[0].rules().locked():
		// The client then joins as a listener, and does not request the microphone.
		v.Skip(report.StepSignalling, codeLocked)
		v.Do(ctx, report.StepCall, func(context.Context) visit.Outcome { return visit.Fault(codeLocked) })
		v.SkipAll(visit.StepFailed, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown)
		return
	case m.bridge == bridgeLiveKit:
		callLiveKit(ctx, v, m, all, list, tryRelays)
		return
	case m.bridge == bridgeSFU && m.hasEcho():
		call(ctx, v, about, s, all[0], list, tryRelays)
		return
	case m.bridge == bridgeSFU:
		why = codeNoEcho
	}
	v.Skip(report.StepSignalling, why)
	v.SkipMedia(why)
}

// attendAll joins with all participants of this check concurrently. All returned
// participants must leave, even after a fault.
func attendAll(ctx context.Context, v *visit.Visit, about About, sessions []session) ([]participant, visit.Outcome) {
	all := make([]participant, len(sessions))
	outcomes := make([]visit.Outcome, len(sessions))
	var wg sync.WaitGroup
	for i, s := range sessions {
		wg.Go(func() {
			if about.GraphQL {
				all[i], outcomes[i] = attend(ctx, v, s)
			} else {
				all[i], outcomes[i] = attendMeteor(ctx, v, s)
			}
		})
	}
	wg.Wait()
	return all, firstFault(outcomes)
}

// firstFault returns the first outcome that is not good.
func firstFault(outcomes []visit.Outcome) visit.Outcome {
	for _, o := range outcomes {
		if o.Status != report.StatusOK {
			return o
		}
	}
	return visit.OK()
}

// listServers requests the relays; if that fails, it records the step of the relays.
func listServers(ctx context.Context, v *visit.Visit, s session) (list serverList, ok bool) {
	v.Do(ctx, report.StepRelay, func(ctx context.Context) (o visit.Outcome) {
		list, o = servers(ctx, v, s)
		ok = o.Status == report.StatusOK
		return o
	})
	return list, ok
}

// call performs the steps of the call to the echo. The relays are tested concurrently as
// soon as the address of the media server is known.
func call(ctx context.Context, v *visit.Visit, about About, s session, p participant, list serverList, tryRelays func(netip.Addr)) {
	v.Data.Bridge = bridgeSFU
	var c *signaller
	defer func() { c.leave(ctx) }()
	if !v.Do(ctx, report.StepSignalling, func(ctx context.Context) (o visit.Outcome) {
		c, o = open(ctx, v, s)
		return o
	}) {
		v.SkipMedia(visit.StepFailed)
		return
	}
	why := func() string {
		if code := p.why(); code != "" {
			return code
		}
		return c.endReason()
	}
	e, err := newEcho(v.Env, v, list, why)
	if err != nil {
		v.Env.Log.Warn("no WebRTC on this machine", "err", report.ErrorText(err))
		v.SkipMedia("no_webrtc")
		return
	}
	defer e.Close()
	left := make(chan struct{})
	defer close(left)
	v.Media(ctx, e, func(step context.Context) visit.Outcome {
		offer, err := e.Offer(step)
		if err != nil {
			return visit.Untested("no_webrtc")
		}
		answer, o := c.call(step, offer)
		switch {
		case o.Code == "timeout" && !about.GraphQL && !about.known():
			// A server that hides its version may have an SFU that does not know this call.
			return visit.Untested(codeOldVersion)
		case o.Status != report.StatusOK:
			return o
		}
		go func() {
			defer close(e.over)
			select {
			case <-c.done:
				if c.endReason() != "cut_off" {
					return
				}
			case <-p.gone():
				return
			case <-left:
				return
			}
			// The sound continues without signalling.
			select {
			case <-p.gone():
			case <-left:
			}
		}()
		if e.Answer(answer) != nil {
			return visit.Fault("bad_answer")
		}
		tryRelays(relaytest.MediaAddress(answer))
		return o
	})
	if code := why(); code != "" {
		v.Explain(code, report.StepCall, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown)
	}
}
