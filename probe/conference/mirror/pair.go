package mirror

import (
	"context"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference/peer"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Pair is two connections to a server that does not return a participant's own stream:
// what is sent over one is received over the other.
type Pair struct {
	Up, Down *peer.Connection
	stream   *stream
}

// OpenPair prepares the two connections. It sets the callbacks of both configurations,
// and Listen of down.
func OpenPair(env probe.Env, up, down peer.Config) (*Pair, error) {
	s := newStream(env.Clock)
	up.Arrived, up.Reported = s.arrived, s.reported
	p := &Pair{stream: s}
	down.Arrived, down.Reported, down.Listen = s.arrived, s.reported, true
	var err error
	if p.Up, err = peer.Open(env, up); err != nil {
		return nil, err
	}
	if p.Down, err = peer.Open(env, down); err != nil {
		p.Up.Close()
		return nil, err
	}
	return p, nil
}

// AwaitPath implements visit.Call.
func (p *Pair) AwaitPath(ctx context.Context) error {
	if err := p.Up.AwaitPath(ctx); err != nil {
		return err
	}
	return p.Down.AwaitPath(ctx)
}

// AwaitKeys implements visit.Call.
func (p *Pair) AwaitKeys(ctx context.Context) error {
	if err := p.Up.AwaitKeys(ctx); err != nil {
		return err
	}
	return p.Down.AwaitKeys(ctx)
}

// Path returns the kind and transport of the local end of the path. It is the upstream path,
// unless only the downstream path is not direct UDP: a path over TCP hides the loss of the
// line, so it must be the one that is reported.
func (p *Pair) Path() string { return lessDirect(p.Up.Path(), p.Down.Path()) }

func lessDirect(up, down string) string {
	if isDirectUDP(up) && !isDirectUDP(down) {
		return down
	}
	return up
}

func isDirectUDP(path string) bool {
	return strings.HasSuffix(path, " udp") && !strings.HasPrefix(path, "relay ")
}

// Lead sends packets of silence until one of them has returned. It reports whether one has
// returned.
func (p *Pair) Lead(ctx context.Context) bool { return p.stream.leadIn(ctx, p.Up, p.Down.Down()) }

// Shorten sets another length of the stream; see [visit.Visit.StreamTime].
func (p *Pair) Shorten(to time.Duration) { p.stream.planned = int(to / wire.PacketInterval) }

// Run sends the stream and waits for the last packets.
func (p *Pair) Run(ctx context.Context) { p.stream.run(ctx, p.Up, p.Down.Down()) }

// Fill writes the figures of the stream to d. Both directions use this computer's clock,
// so the round trip is that from one connection to the other.
func (p *Pair) Fill(d *report.MediaVoice) visit.Sound { return p.stream.fill(d) }

// Close closes both connections without waiting.
func (p *Pair) Close() {
	p.Up.Close()
	p.Down.Close()
}
