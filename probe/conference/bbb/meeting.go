package bbb

import (
	"context"
	"net/netip"

	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
	"github.com/tonprobe/tonprobe/probe/conference/testsignal"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report"
)

// checkMeeting performs the steps that require a meeting, in the same order as the
// client. What does not depend on the state of the meeting is requested while the check
// joins: the round trips, the relays, and the connection to the SFU.
func checkMeeting(ctx context.Context, v *visit.Visit, about About, entering *earlyEntry) {
	signedIn := v.Finish(entering.step)
	s, m := entering.session, entering.meeting
	if !signedIn {
		v.Finish(beginRoundTrips(ctx, v))
		v.SkipAll(visit.StepFailed, report.StepState, report.StepSignalling, report.StepRelay)
		v.SkipMedia(visit.StepFailed)
		return
	}
	listed := beginServers(ctx, v, s)
	trips := beginRoundTrips(ctx, v, listed.step)
	if about.beforeSFU() {
		// The client of these versions transports the sound in another way. The relays can
		// still be tested.
		v.SkipAll(codeOldVersion, report.StepState, report.StepSignalling)
		v.Finish(trips)
		if list, ok := listed.result(v); ok {
			relaytest.Start(ctx, v, list.List, netip.Addr{}).Record()
		}
		v.SkipMedia(codeOldVersion)
		return
	}
	var sfu *earlySFU
	var offer *earlyOffer
	if m.bridge == bridgeSFU && m.hasEcho() {
		sfu, offer = beginSFU(ctx, v, s), beginOffer(ctx, v, listed)
	}
	if at := m.signallingOf(v.URL); m.bridge == bridgeLiveKit && at != nil && at.Host == v.URL.Host {
		v.OpenAhead(ctx, maxParticipants)
	}
	defer offer.close()
	var all []participant
	defer func() { visit.Together(func() { sfu.leave(ctx) }, func() { leaveAll(ctx, all) }) }()
	if !v.Do(ctx, report.StepState, func(ctx context.Context) (o visit.Outcome) {
		all, o = attendAll(ctx, v, about, m, s)
		if m.onStart && o.Code == "" {
			o.Code = codeOnStart
		}
		return o
	}) {
		v.Finish(trips)
		v.SkipAll(visit.StepFailed, report.StepSignalling, report.StepRelay)
		v.SkipMedia(visit.StepFailed)
		return
	}
	v.Finish(trips) // before the sound, which takes up the line
	list, ok := listed.result(v)
	var relays *relaytest.Test
	tryRelays := func(media netip.Addr) {
		if ok && relays == nil {
			relays = relaytest.Start(ctx, v, list.List, media)
		}
	}
	private := sound(ctx, v, about, m, sfu, offer, all, list, tryRelays)
	tryRelays(netip.Addr{}) // if no call yielded the address of a media server
	relays.Record()
	v.ExplainPrivate(private, list.HasTURN())
}

// sound performs the steps of a call with the audio bridge of the meeting, and reports whether the
// media server announced private addresses only.
func sound(ctx context.Context, v *visit.Visit, about About, m meeting, sfu *earlySFU, offer *earlyOffer, all []participant, list serverList, tryRelays func(netip.Addr)) (private bool) {
	why := "other_bridge"
	switch {
	case m.bridge == bridgeLiveKit:
		return callLiveKit(ctx, v, m, all, list, tryRelays)
	case sfu != nil:
		return call(ctx, v, about, sfu, offer, all[0], tryRelays)
	case m.bridge == bridgeSFU:
		why = codeNoEcho
	}
	v.Skip(report.StepSignalling, why)
	v.SkipMedia(why)
	return false
}

// earlyOffer is the offer of the call, whose search for addresses takes round trips to the
// STUN and TURN servers.
type earlyOffer struct {
	step *visit.Early
	echo *echo // nil if it failed
	sdp  string
}

func beginOffer(ctx context.Context, v *visit.Visit, servers *earlyServers) *earlyOffer {
	o := &earlyOffer{}
	o.step = v.Begin(ctx, report.StepPath, func(ctx context.Context) visit.Outcome {
		e, err := newEcho(v.Env, v, servers.list)
		if err != nil {
			v.Env.Log.Warn("WebRTC could not be started", "err", report.ErrorText(err))
			return visit.Untested("no_webrtc")
		}
		if o.sdp, err = e.Offer(ctx); err != nil {
			e.Close()
			return visit.Untested("no_webrtc")
		}
		o.echo = e
		return visit.OK()
	}, servers.step)
	return o
}

// await returns the prepared call; nil if there is none.
func (o *earlyOffer) await() *echo {
	o.step.Wait()
	return o.echo
}

// close closes the connection. It may be called on nil.
func (o *earlyOffer) close() {
	if o == nil {
		return
	}
	if e := o.await(); e != nil {
		e.Close()
	}
}

// maxParticipants is the number of participants that LiveKit requires: it does not return a
// stream to its sender.
const maxParticipants = 2

// attendAll joins with all participants of this check concurrently. All returned
// participants must leave, even after a fault.
func attendAll(ctx context.Context, v *visit.Visit, about About, m meeting, s session) ([]participant, visit.Outcome) {
	all := make([]participant, 1, maxParticipants)
	if m.bridge == bridgeLiveKit {
		all = all[:maxParticipants]
	}
	outcomes := make([]visit.Outcome, len(all))
	joins := make([]func(), len(all))
	for i := range all {
		joins[i] = func() {
			switch {
			case i > 0:
				again := func() (session, visit.Outcome) { return joinAgain(ctx, v) }
				all[i], outcomes[i] = attend(ctx, v, again, true)
			case about.GraphQL:
				known := func() (session, visit.Outcome) { return s, visit.OK() }
				all[i], outcomes[i] = attend(ctx, v, known, m.bridge == bridgeLiveKit)
			default:
				all[i], outcomes[i] = attendMeteor(ctx, v, s)
			}
		}
	}
	visit.Together(joins...)
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

// earlyServers is the request for the relays.
type earlyServers struct {
	step *visit.Early
	list serverList
	ok   bool
}

func beginServers(ctx context.Context, v *visit.Visit, s session) *earlyServers {
	e := &earlyServers{}
	e.step = v.Begin(ctx, report.StepRelay, func(ctx context.Context) (o visit.Outcome) {
		if e.list, o = servers(ctx, v, s); o.Status == report.StatusOK {
			e.ok = true
		} else {
			e.list = serverList{}
		}
		return o
	})
	return e
}

// result records the request and returns the relays; ok is false if it failed.
func (e *earlyServers) result(v *visit.Visit) (list serverList, ok bool) {
	v.Finish(e.step)
	return e.list, e.ok
}

// earlySFU is the connection to the SFU.
type earlySFU struct {
	step *visit.Early
	conn *signaller
}

func beginSFU(ctx context.Context, v *visit.Visit, s session) *earlySFU {
	e := &earlySFU{}
	e.step = v.Begin(ctx, report.StepSignalling, func(ctx context.Context) (o visit.Outcome) {
		e.conn, o = open(ctx, v, s)
		return o
	})
	return e
}

// leave ends the call and the connection. It may be called on nil.
func (e *earlySFU) leave(ctx context.Context) {
	if e == nil {
		return
	}
	e.step.Wait()
	e.conn.leave(ctx)
}

// tripsBesideStream is the number of round trips of a check besides the stream: connection,
// version and link, meeting, state, call, path, keys and the end.
const tripsBesideStream = 13

// call performs the steps of the call to the echo. The relays are tested concurrently as
// soon as the address of the media server is known. private reports whether that server named
// private addresses only.
func call(ctx context.Context, v *visit.Visit, about About, sfu *earlySFU, offer *earlyOffer, p participant, tryRelays func(netip.Addr)) (private bool) {
	v.Data.Bridge = bridgeSFU
	if !v.Finish(sfu.step) {
		v.SkipMedia(visit.StepFailed)
		return false
	}
	c := sfu.conn
	why := func() string {
		if code := p.why(); code != "" {
			return code
		}
		return c.endReason()
	}
	e := offer.await()
	if e == nil {
		v.SkipMedia("no_webrtc")
		return false
	}
	e.why, e.planned = why, int(v.StreamTime(testsignal.Packets*testsignal.PacketTime, tripsBesideStream)/testsignal.PacketTime)
	left := make(chan struct{})
	defer close(left)
	v.Media(ctx, e, func(step context.Context) visit.Outcome {
		answer, o := c.call(step, offer.sdp)
		// The SFU refuses a microphone that the meeting locks. The rules that explain this
		// arrive at the same time.
		if locked := p.awaitRules(step).fault(); locked != "" {
			return visit.Fault(locked)
		}
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
		private = relaytest.OnlyPrivate(answer)
		tryRelays(relaytest.MediaAddress(answer))
		return o
	})
	if code := why(); code != "" {
		v.Explain(code, report.StepCall, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown)
	}
	return private
}
