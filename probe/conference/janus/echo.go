package janus

import (
	"context"
	"strconv"

	"github.com/tonprobe/tonprobe/probe/conference/mirror"
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
	v.Media(ctx, c, func(ctx context.Context) visit.Outcome { return talk.call(ctx, events, c) })
}

// call makes the call: it sends the offer, and receives the answer and the addresses of
// the gateway as events, in any order (full_trickle). Events after the answer are read
// until events is done.
func (s *session) call(ctx, events context.Context, c *mirror.Connection) visit.Outcome {
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
		case isNoMessage(err):
			return visit.Fault("not_api")
		case err != nil:
			return visit.Fault(visit.FaultOf(err))
		case m.Error != nil:
			return refusal(m)
		case m.PluginData != nil && m.PluginData.Data.ErrorCode != 0:
			return visit.Fault(strconv.Itoa(m.PluginData.Data.ErrorCode))
		case m.Janus == "hangup", m.Janus == "timeout", m.Janus == "detached":
			return visit.Fault("hung_up")
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

// follow processes the addresses that arrive after the answer. It ends with ctx, or
// when the gateway sends nothing more.
func (s *session) follow(ctx context.Context, c *mirror.Connection) {
	for range maxEvents {
		m, err := s.event(ctx)
		if err != nil || m.Error != nil {
			return
		}
		if m.Candidate != nil && m.Candidate.Candidate != "" {
			c.Candidate(m.Candidate.Candidate)
		}
	}
}
