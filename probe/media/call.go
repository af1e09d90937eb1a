package media

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/judge"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Call is a stream to an echo of the reflector whose offer and answer the caller
// exchanges itself.
type Call struct {
	cfg       VoiceConfig
	clock     probe.Clock
	link      *link
	stream    *stream
	tcp       []candidate
	began     time.Time
	connected time.Time
	stopped   bool
}

// OpenCall prepares a call that uses the given STUN and TURN servers.
func OpenCall(env probe.Env, servers wire.ICEConfig, c VoiceConfig) (*Call, error) {
	c = c.withDefaults()
	l, err := openLink(env, dedupeRelays(servers, c.WebPort), c)
	if err != nil {
		return nil, err
	}
	return &Call{cfg: c, clock: env.Clock, link: l, stream: newStream(env.Clock, c.wall, c.Payload, c.Duration, c.Longest)}, nil
}

// Offer returns the offer.
func (c *Call) Offer(ctx context.Context) (string, error) {
	return c.link.offer(ctx, c.cfg.GatherLimit)
}

// Answer applies the answer, which arrived the given time after the offer was sent.
func (c *Call) Answer(sdp string, took time.Duration) (err error) {
	c.link.answered = took
	c.began = c.clock.Now()
	c.tcp, err = c.link.accept(sdp)
	return err
}

// AwaitPath waits until ICE has found a path for packets.
func (c *Call) AwaitPath(ctx context.Context) error {
	defer func() { c.link.direct.overUDP(c.link.path) }()
	if err := c.link.awaitPath(ctx, c.tcp, c.cfg); err != nil {
		return err
	}
	c.connected = c.link.reached(c.began)
	return nil
}

// AwaitKeys waits for the end of the DTLS handshake, which yields the keys of SRTP.
func (c *Call) AwaitKeys(ctx context.Context) error {
	return c.link.awaitKeys(ctx, c.connected, c.cfg.DTLSLimit)
}

// Path returns the candidate type and transport of the local end of the path, such as
// "relay tcp".
func (c *Call) Path() string { return c.link.path }

// Run sends the stream and waits for the last echoes.
func (c *Call) Run(ctx context.Context) {
	c.stream.run(ctx, c.link, func(probe.Event) {})
	c.stream.awaitStragglers(ctx, c.link)
	c.stopped = ctx.Err() != nil
}

// Sent returns the number of packets that were sent.
func (c *Call) Sent() int { return len(c.stream.recording().Sends) }

// Judge returns the figures of the stream. log is the reflector's record of it, or
// logErr the reason why there is none.
func (c *Call) Judge(log wire.EchoLog, logErr error) *report.MediaVoice {
	if logErr == nil {
		logErr = log.Validate()
	}
	measured := judge.Voice(judge.Measurement{
		Stream: c.stream.recording(), Log: log, LogErr: logErr, Path: c.link.path,
		ICE: c.link.ice, DTLS: c.link.dtls, Stopped: c.stopped,
	})
	d := measured.Data.(*report.MediaVoice)
	c.link.direct.fill(d)
	return d
}

// Close closes the connection without waiting.
func (c *Call) Close() { c.link.close() }
