package livekit

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/conference/livekit/signal"
	"github.com/tonprobe/tonprobe/probe/conference/peer"
	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/guard"
)

// Limits of a participant against a server that is broken or hostile.
const (
	maxMessages   = 2000 // in a shared room, the server reports every participant
	maxCandidates = 32
	// leaveTime limits the time to leave, even after a cancellation.
	leaveTime = 500 * time.Millisecond
)

// participant is one participant of a test room: its signalling, and one connection.
type participant struct {
	socket  *websocket.Conn
	log     *slog.Logger
	welcome *signal.Join
	target  signal.Target
	pc      *peer.Connection

	answered, published chan struct{} // closed once the server answered, and named the stream
	muted               chan struct{} // closed once the server has muted the stream
	ended               chan struct{} // closed when nothing more is received
	following           bool

	mu        sync.Mutex
	early     []string // addresses that arrived before the description they belong to
	described bool
	offersTCP bool
	badOffer  bool
	stream    string     // the server's name for the stream of this participant
	media     netip.Addr // of the media server; zero until known
	named     relaytest.Candidates
}

// dial opens the signalling of a participant.
func dial(ctx context.Context, v *visit.Visit, room Room, target signal.Target) (*participant, visit.Outcome) {
	at, token, all := *room.URL, room.Publish, "1"
	if target == signal.Subscriber {
		token = room.Subscribe
	}
	if room.Shared {
		all = "0"
	}
	at.RawQuery = url.Values{"protocol": {strconv.Itoa(signal.Protocol)}, "auto_subscribe": {all}, "version": {"0"}}.Encode()
	socket, status, err := v.WebSocketAs(ctx, &at, token)
	switch {
	case err == nil:
		return &participant{
			socket: socket, log: v.Env.Log, target: target,
			answered: make(chan struct{}), published: make(chan struct{}),
			muted: make(chan struct{}), ended: make(chan struct{}),
		}, visit.OK()
	case status == http.StatusUnauthorized: // 403 is from a machine on the path
		return nil, visit.Fault("token_refused")
	}
	return nil, visit.SocketFault(status, err)
}

// join waits for the server's response to the join.
func (p *participant) join(ctx context.Context) visit.Outcome {
	for range maxMessages {
		m, o := p.read(ctx)
		switch {
		case o.Code != "":
			return o
		case m.Leave != nil, m.Join != nil && m.Join.Elsewhere:
			return visit.Fault("not_let_in")
		case m.Join != nil:
			p.welcome = m.Join
			return visit.OK()
		}
	}
	return visit.Fault("not_api")
}

func (p *participant) read(ctx context.Context) (signal.Response, visit.Outcome) {
	kind, b, err := p.socket.Read(ctx)
	if err != nil {
		return signal.Response{}, visit.Failed(err)
	}
	m, err := signal.Parse(b)
	if err != nil || kind != websocket.MessageBinary {
		return signal.Response{}, visit.Fault("not_api")
	}
	return m, visit.OK()
}

func (p *participant) write(ctx context.Context, message []byte) error {
	if err := p.socket.Write(ctx, websocket.MessageBinary, message); err != nil {
		return fmt.Errorf("write to LiveKit: %w", err)
	}
	return nil
}

// follow processes the server's messages until ctx is done or the server sends nothing
// more. A message that causes a panic counts as a description that cannot be applied.
func (p *participant) follow(ctx context.Context, pc *peer.Connection) {
	p.pc, p.following = pc, true
	go func() {
		defer close(p.ended)
		if err := guard.Do(func() { p.process(ctx, pc) }); err != nil {
			p.log.Error("a message of LiveKit caused a panic", "err", err)
			p.mu.Lock()
			defer p.mu.Unlock()
			p.badOffer = true
		}
	}()
}

// process processes messages until the server sends nothing more.
func (p *participant) process(ctx context.Context, pc *peer.Connection) {
	answered := sync.OnceFunc(func() { close(p.answered) })
	published := sync.OnceFunc(func() { close(p.published) })
	muted := sync.OnceFunc(func() { close(p.muted) })
	for range maxMessages {
		m, o := p.read(ctx)
		if o.Code != "" {
			return
		}
		switch {
		case m.Answer != nil && p.target == signal.Publisher:
			p.describe(m.Answer.SDP, func() error { return pc.Answer(m.Answer.SDP) })
			answered()
		case m.Offer != nil && p.target == signal.Subscriber:
			p.accept(ctx, *m.Offer)
			answered()
		case m.Trickle != nil && m.Trickle.Target == p.target:
			p.candidate(m.Trickle.Candidate)
		case m.Published != nil:
			p.mu.Lock()
			p.stream = m.Published.SID
			p.mu.Unlock()
			published()
		case m.Mute != nil && m.Mute.Muted:
			muted()
		case m.Leave != nil:
			return
		}
	}
}

// accept answers an offer of the server.
func (p *participant) accept(ctx context.Context, offer signal.Description) {
	p.describe(offer.SDP, func() error {
		answer, err := p.pc.Accept(ctx, offer.SDP)
		if err != nil {
			return err
		}
		return p.write(ctx, signal.Answer(answer, offer.ID))
	})
}

// describe applies a description of the server, and the addresses that arrived before
// it.
func (p *participant) describe(sdp string, apply func() error) {
	err := apply()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.badOffer = true
		return
	}
	p.described = true
	p.offersTCP = p.offersTCP || overTCP(sdp)
	p.named.AddSDP(sdp)
	for line := range strings.Lines(sdp) {
		if candidate, ok := strings.CutPrefix(line, "a="); ok {
			p.noteAddress(candidate)
		}
	}
	for _, candidate := range p.early {
		p.pc.Candidate(candidate)
	}
	p.early = nil
}

func (p *participant) candidate(candidate string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offersTCP = p.offersTCP || overTCP(candidate)
	p.named.Add(candidate)
	p.noteAddress(candidate)
	switch {
	case candidate == "": // the end of the list
	case p.described:
		p.pc.Candidate(candidate)
	case len(p.early) < maxCandidates:
		p.early = append(p.early, candidate)
	}
}

// noteAddress stores the media server's first UDP address (RFC 8839 §5.1), an IPv4 one if
// there is one.
func (p *participant) noteAddress(candidate string) {
	fields := strings.Fields(candidate)
	if p.media.Is4() || len(fields) < 8 || !strings.HasPrefix(candidate, "candidate:") || !strings.EqualFold(fields[2], "udp") {
		return
	}
	if at, err := netip.ParseAddr(fields[4]); err == nil && !at.IsUnspecified() && (at.Unmap().Is4() || !p.media.IsValid()) {
		p.media = at.Unmap()
	}
}

// mediaAddress returns the address of the media server; the zero value if it is not known.
func (p *participant) mediaAddress() netip.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.media
}

// onlyPrivate reports whether all addresses that the server named are private, over UDP and TCP.
func (p *participant) onlyPrivate() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.named.OnlyPrivate()
}

// overTCP reports whether one of the candidates is for TCP (RFC 6544 §4.5).
func overTCP(candidates string) bool {
	return strings.Contains(strings.ToLower(candidates), " tcptype ")
}

// streamName returns the server's name of the stream; "" before the stream is published.
func (p *participant) streamName() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stream
}

// state returns whether a description could not be applied, and whether the server offers
// TCP.
func (p *participant) state() (bad, offersTCP bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.badOffer, p.offersTCP
}

// cutOff returns the outcome after the end of the messages.
func (p *participant) cutOff() visit.Outcome {
	if bad, _ := p.state(); bad {
		return visit.Fault("bad_answer")
	}
	return visit.Fault("cut_off")
}

// leave leaves the room. It may be called in any state, and on nil.
func (p *participant) leave() {
	if p == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	_ = p.write(ctx, signal.Goodbye())
	if p.following {
		select {
		case <-p.ended: // the server ends the connection afterwards
		case <-ctx.Done():
		}
	}
	// A closing handshake would wait up to 5 s for a server that does not respond.
	_ = p.socket.CloseNow()
}
