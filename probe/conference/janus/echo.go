package janus

import (
	"context"
	"strings"
	"sync"

	"github.com/tonprobe/tonprobe/probe/conference/mirror"
	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/report"
)

// tripsBesideStream is the number of round trips of a check besides the stream: connection,
// API, session, handle, call, path, keys and the first packets.
const tripsBesideStream = 13

// echo sends a voice to the EchoTest plugin, which returns its packets unchanged.
func echo(ctx context.Context, v *visit.Visit, talk *session) {
	c, err := mirror.Open(v.Env, v.URL)
	if err != nil {
		v.Env.Log.Warn("WebRTC could not be started", "err", report.ErrorText(err))
		v.SkipMedia("no_webrtc")
		return
	}
	defer c.Close()
	c.Shorten(v.StreamTime(mirror.StreamTime, tripsBesideStream))
	events, stop := context.WithCancel(ctx)
	defer stop()
	t := &call{Connection: c, hungUp: make(chan struct{})}
	v.Media(ctx, t, func(ctx context.Context) visit.Outcome { return talk.call(ctx, events, t) })
	if t.isOver() {
		v.Explain(codeHungUp, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown)
	}
	v.ExplainPrivate(t.onlyPrivate(), false) // a gateway names no relays
}

// codeHungUp: the gateway ended the call.
const codeHungUp = "hung_up"

// call is the call to the EchoTest.
type call struct {
	*mirror.Connection
	hungUp chan struct{} // closed once the gateway has ended the call

	mu    sync.Mutex
	named relaytest.Candidates
}

// Answer applies the gateway's answer.
func (c *call) Answer(sdp string) error {
	c.mu.Lock()
	c.named.AddSDP(sdp)
	c.mu.Unlock()
	return c.Connection.Answer(sdp)
}

// Candidate adds an address of the gateway that arrived separately.
func (c *call) Candidate(candidate string) {
	c.mu.Lock()
	c.named.Add(candidate)
	c.mu.Unlock()
	c.Connection.Candidate(candidate)
}

// onlyPrivate reports whether all addresses that the gateway named are private.
func (c *call) onlyPrivate() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.named.OnlyPrivate()
}

func (c *call) isOver() bool {
	select {
	case <-c.hungUp:
		return true
	default:
		return false
	}
}

// Run implements visit.Call. The stream ends with the call.
func (c *call) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-c.hungUp:
			cancel()
		case <-ctx.Done():
		}
	}()
	c.Connection.Run(ctx)
}

// Fill implements visit.Call.
func (c *call) Fill(d *report.MediaVoice) visit.Sound {
	if c.isOver() {
		return visit.Sound{Fault: codeHungUp}
	}
	return c.Connection.Fill(d)
}

// isHangUp reports whether the gateway has ended a call by itself. It also does so if it finds no
// path to this computer, or loses it, which the line may have caused (janus_ice_webrtc_hangup).
func (m message) isHangUp() bool {
	reason, _ := m.Reason.(string)
	return m.isEnd() && !strings.HasPrefix(reason, "ICE") && !strings.Contains(strings.ToLower(reason), "consent")
}

// isEnd reports whether the call has ended, for any reason.
func (m message) isEnd() bool {
	return m.Janus == "hangup" || m.Janus == "timeout" || m.Janus == "detached"
}

// call makes the call: it sends the offer, and receives the answer and the addresses of
// the gateway as events, in any order (full_trickle). Events after the answer are read
// until events is done.
func (s *session) call(ctx, events context.Context, c *call) visit.Outcome {
	offer, err := c.Offer(ctx)
	if err != nil {
		return visit.Untested("no_webrtc")
	}
	m, err := s.over.request(ctx, message{
		Janus: "message", SessionID: s.id, HandleID: s.handle,
		Body: map[string]bool{"audio": true, "video": false}, JSEP: &jsep{"offer", offer},
	})
	if o := judge(m, err, true); o.Status != report.StatusOK {
		return o
	}
	var early []string
	for range maxEvents {
		m, err := s.event(ctx)
		switch {
		case err != nil:
			return faultOf(err)
		case m.Error != nil:
			return refusal(m)
		case m.PluginData != nil && m.PluginData.Data.ErrorCode != 0:
			return visit.StatusFault(m.PluginData.Data.ErrorCode)
		case m.isEnd():
			return visit.Fault(codeHungUp)
		case m.Candidate != nil && m.Candidate.Candidate != "":
			early = append(early, m.Candidate.Candidate)
		}
		if m.JSEP == nil {
			continue
		}
		if err := c.Answer(m.JSEP.SDP); err != nil {
			return visit.Fault("bad_answer")
		}
		for _, candidate := range early {
			c.Candidate(candidate)
		}
		guard.Go(s.env.Log, func() { s.follow(events, c) })
		return visit.OK()
	}
	return visit.Fault("no_answer")
}

// follow processes the addresses that arrive after the answer, and the end of the call. It ends with ctx, or
// when the gateway sends nothing more.
func (s *session) follow(ctx context.Context, c *call) {
	for range maxEvents {
		m, err := s.event(ctx)
		if err != nil || m.Error != nil {
			return
		}
		if m.isHangUp() {
			close(c.hungUp)
			return
		}
		if m.Candidate != nil && m.Candidate.Candidate != "" {
			c.Candidate(m.Candidate.Candidate)
		}
	}
}
