package livekit

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/conference/livekit/signal"
	"github.com/tonprobe/tonprobe/probe/conference/mirror"
	"github.com/tonprobe/tonprobe/probe/conference/peer"
	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// otherPathTime limits each of the tests of the other ways, which are found within a
// tenth of a second where they work.
const otherPathTime = 1500 * time.Millisecond

// mediaSteps are the steps that need a test room.
var mediaSteps = []report.ConferenceStep{
	report.StepRelay, report.StepCall, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown,
	report.StepPathTCP, report.StepPathRelay,
}

// Room is where the two participants of a call meet.
type Room struct {
	// URL is the address of the signalling.
	URL *url.URL
	// Publish and Subscribe are the tokens of the participant that speaks and of the one
	// that listens. They may let both do both.
	Publish, Subscribe string
	// ICEServers replace those that LiveKit names, as in the client of BigBlueButton; nil
	// keeps those of LiveKit.
	ICEServers []webrtc.ICEServer
	// Shared is true if others may be in the room: nothing but the own stream is received.
	Shared bool
}

// Pair is two participants in a room: LiveKit sends nobody their own stream.
type Pair struct {
	room              Room
	speaker, listener *participant
}

// Join lets both participants in, side by side: on a slow line each takes several round
// trips. Leave must follow, also after a fault.
func Join(ctx context.Context, v *visit.Visit, room Room) (*Pair, visit.Outcome) {
	p := &Pair{room: room}
	enter := func(target signal.Target, who **participant) (o visit.Outcome) {
		if *who, o = dial(ctx, v, room, target); *who == nil {
			return o
		}
		return (*who).join(ctx)
	}
	heard := make(chan visit.Outcome, 1)
	go func() { heard <- enter(signal.Subscriber, &p.listener) }()
	o := enter(signal.Publisher, &p.speaker)
	if listener := <-heard; o.Status == report.StatusOK {
		o = listener
	}
	return p, o
}

// Leave ends the stay of both. It may be called twice, and on nil.
func (p *Pair) Leave() {
	if p == nil {
		return
	}
	done := make(chan struct{})
	go func() { defer close(done); p.speaker.leave() }()
	p.listener.leave()
	<-done
	p.speaker, p.listener = nil, nil
}

// servers returns the STUN and TURN servers of a participant.
func (p *participant) servers(room Room) []webrtc.ICEServer {
	if room.ICEServers != nil {
		return room.ICEServers
	}
	return iceServers(p.welcome.ICEServers)
}

// Call performs the steps of a call from one participant to the other. tryRelays, if not
// nil, is called once the address of the media server is known.
func (p *Pair) Call(ctx context.Context, v *visit.Visit, tryRelays func(media netip.Addr)) (offersTCP bool) {
	pair, err := mirror.OpenPair(v.Env, p.config(p.speaker, peer.AnyTransport), p.config(p.listener, peer.AnyTransport))
	if err != nil {
		v.Env.Log.Warn("no WebRTC on this machine", "err", report.ErrorText(err))
		v.SkipMedia("no_webrtc")
		return false
	}
	defer pair.Close()
	// A check that is stopped says goodbye all the same, over these sockets.
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	p.listener.follow(following, pair.Down)
	p.speaker.follow(following, pair.Up)
	c := &call{Pair: pair, speaker: p.speaker, listener: p.listener, shared: p.room.Shared, tryRelays: tryRelays}
	v.Media(ctx, c, c.begin)
	offersTCP = c.offersTCP()
	// While the sockets are still followed: the server closes them after a goodbye.
	p.Leave()
	return offersTCP
}

// sound makes a call in the test room of the collector.
func sound(ctx context.Context, v *visit.Visit) {
	room := Room{URL: v.URL, Publish: v.Room.Publish, Subscribe: v.Room.Subscribe}
	var p *Pair
	defer func() { p.Leave() }()
	if !v.Do(ctx, report.StepSignIn, func(ctx context.Context) (o visit.Outcome) {
		p, o = Join(ctx, v, room)
		return o
	}) {
		v.SkipAll(visit.StepFailed, mediaSteps...)
		return
	}
	v.Data.Version = p.version()
	servers := p.speaker.servers(room)
	var relays *relaytest.Test
	var tryRelays func(netip.Addr)
	if hasRelay(servers) {
		v.Skip(report.StepRelay, visit.StepFailed) // until it is recorded
		tryRelays = func(media netip.Addr) { relays = relaytest.Start(ctx, v, listOf(servers), media) }
	} else {
		v.Skip(report.StepRelay, "not_offered")
	}
	// A token lets one participant in at a time: both have left after the call.
	offersTCP := p.Call(ctx, v, tryRelays)
	relays.Record()
	if step, _ := v.Data.Check(report.StepPath); step.Status != report.StatusOK {
		why := visit.StepFailed // all ways were tried
		if step.Code == "no_webrtc" {
			why = step.Code
		}
		v.SkipAll(why, report.StepPathTCP, report.StepPathRelay)
		return
	}
	otherPaths(ctx, v, room, servers, offersTCP, v.Data.Media.Path)
}

// version returns the version that the server names; "" if that is no version.
func (p *Pair) version() string {
	if word := p.speaker.welcome.Version; len(word) <= 32 && strings.Trim(word, "0123456789.abcdefghijklmnopqrstuvwxyz-") == "" {
		return word
	}
	return ""
}

// config is that of a participant's connection.
func (p *Pair) config(of *participant, only peer.Transport) peer.Config {
	return peer.Config{Server: p.room.URL, ICEServers: of.servers(p.room), Only: only, Listen: of.target == signal.Subscriber}
}

// iceServers leaves out what WebRTC does not accept: one bad entry would make a
// connection impossible.
func iceServers(told []signal.ICEServer) (all []webrtc.ICEServer) {
	for _, s := range told {
		usable := webrtc.ICEServer{Username: s.Username, Credential: s.Credential}
		for _, u := range s.URLs {
			relay := strings.HasPrefix(u, "turn:") || strings.HasPrefix(u, "turns:")
			if relay && s.Username != "" && s.Credential != "" || strings.HasPrefix(u, "stun:") {
				usable.URLs = append(usable.URLs, u)
			}
		}
		if len(usable.URLs) > 0 {
			all = append(all, usable)
		}
	}
	return all
}

// call is a call of two participants.
type call struct {
	*mirror.Pair
	speaker, listener *participant
	shared            bool
	// tryRelays begins the test of the relays; nil where the server has none.
	tryRelays func(media netip.Addr)
}

// AwaitPath implements visit.Call. The relays are tried once the address of the media server
// is known, while the stream runs. An address of IPv4 is taken even if the path is of IPv6:
// relays give out addresses of IPv4 unless asked otherwise (RFC 8656 §7.2).
func (c *call) AwaitPath(ctx context.Context) error {
	err := c.Pair.AwaitPath(ctx)
	if c.tryRelays == nil {
		return err
	}
	media := c.speaker.mediaAddress()
	if at, ok := c.Up.ServerAddress(); ok && !media.Is4() {
		media = at.Addr()
	}
	c.tryRelays(media)
	return err
}

// listOf returns the servers as the test of the relays takes them.
func listOf(servers []webrtc.ICEServer) (list relaytest.List) {
	for _, s := range servers {
		one := wire.ICEServer{URLs: s.URLs, Username: s.Username}
		if secret, ok := s.Credential.(string); ok {
			one.Credential = secret
		}
		list.ICEServers = append(list.ICEServers, one)
	}
	return list
}

// begin offers the stream. The listener's connection comes about by offers of the server,
// which its participant answers meanwhile. In a shared room it asks for the own stream
// only, as the client of BigBlueButton does.
func (c *call) begin(ctx context.Context) visit.Outcome {
	offer, err := c.Up.Offer(ctx)
	if err != nil {
		return visit.Untested("no_webrtc")
	}
	if c.speaker.write(ctx, signal.AddTrack(peer.TrackID)) != nil || c.speaker.write(ctx, signal.Offer(offer)) != nil {
		return visit.Fault("cut_off")
	}
	for _, step := range []struct {
		done    <-chan struct{}
		missing string
	}{{c.speaker.answered, "no_answer"}, {c.speaker.published, "not_published"}, {c.listener.answered, "no_offer"}} {
		select {
		case <-step.done:
		case <-c.speaker.ended:
			return visit.Fault("cut_off")
		case <-c.listener.ended:
			return visit.Fault("cut_off")
		case <-ctx.Done():
			return visit.Fault(step.missing)
		}
		if step.done == c.speaker.published && c.shared && c.listener.write(ctx, signal.Subscribe(c.speaker.streamName())) != nil {
			return visit.Fault("cut_off")
		}
	}
	for _, p := range []*participant{c.speaker, c.listener} {
		if bad, _ := p.state(); bad {
			return visit.Fault("bad_answer")
		}
	}
	return visit.OK()
}

// Run sends the stream once the server passes it on to the listener, until the server
// mutes the stream or ends the stay of one of the two.
func (c *call) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-c.speaker.ended:
		case <-c.listener.ended:
		case <-c.speaker.muted:
		case <-ctx.Done():
		}
		cancel()
	}()
	// Also where nothing comes down, what arrives at the server is known.
	c.Lead(ctx)
	c.Pair.Run(ctx)
}

// Fill implements visit.Call. What the server itself did to the stream is no figure of
// the line.
func (c *call) Fill(d *report.MediaVoice) visit.Sound {
	switch {
	case isClosed(c.speaker.muted):
		return visit.Sound{Fault: "muted_by_server"}
	case isClosed(c.speaker.ended), isClosed(c.listener.ended):
		return visit.Sound{Fault: "cut_off"}
	}
	s := c.Pair.Fill(d)
	if !isClosed(c.Down.Heard()) {
		s.Silence = "no_track"
	}
	return s
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (c *call) offersTCP() bool {
	_, up := c.speaker.state()
	_, down := c.listener.state()
	return up || down
}

// otherPaths tests the ways that the call did not take: over TCP and through a relay. Where
// it took one of them, that one works.
func otherPaths(ctx context.Context, v *visit.Visit, room Room, servers []webrtc.ICEServer, overTCP bool, main string) {
	kind, transport, _ := strings.Cut(main, " ")
	test := func(step report.ConferenceStep, offered, taken bool, only peer.Transport) *bool {
		switch {
		case taken:
			v.Do(ctx, step, func(context.Context) visit.Outcome { return visit.OK() })
			return new(true)
		case !offered:
			v.Skip(step, "not_offered")
			return nil
		}
		if v.Do(ctx, step, func(ctx context.Context) visit.Outcome { return otherPath(ctx, v, room, only) }) {
			return new(true)
		}
		if done, _ := v.Data.Check(step); done.Status == report.StatusWarn {
			return new(false)
		}
		return nil
	}
	v.Data.PathTCP = test(report.StepPathTCP, overTCP, kind != "relay" && transport == "tcp", peer.TCP)
	v.Data.PathRelay = test(report.StepPathRelay, hasRelay(servers), kind == "relay", peer.Relay)
}

func hasRelay(servers []webrtc.ICEServer) bool {
	return slices.ContainsFunc(servers, func(s webrtc.ICEServer) bool {
		return slices.ContainsFunc(s.URLs, func(u string) bool { return strings.HasPrefix(u, "turn") })
	})
}

// otherPath joins once more, with one way allowed. A way that does not work beside one that
// does is a warning. The speaker joins: the connection of a listener is in the hands of the
// server, which waits 2 s for a better way than a relay.
func otherPath(ctx context.Context, v *visit.Visit, room Room, only peer.Transport) visit.Outcome {
	ctx, cancel := context.WithTimeout(ctx, otherPathTime)
	defer cancel()
	p, o := dial(ctx, v, room, signal.Publisher)
	if p == nil {
		return visit.Untested(o.Code)
	}
	defer p.leave()
	if o := p.join(ctx); o.Status != report.StatusOK {
		return visit.Untested(o.Code)
	}
	pc, err := peer.Open(v.Env, (&Pair{room: room}).config(p, only))
	if err != nil {
		return visit.Untested("no_webrtc")
	}
	defer pc.Close()
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	p.follow(following, pc)
	offer, err := pc.Offer(ctx)
	if err != nil {
		return visit.Untested("no_webrtc")
	}
	if p.write(ctx, signal.AddTrack(peer.TrackID)) != nil || p.write(ctx, signal.Offer(offer)) != nil {
		return visit.Untested("cut_off")
	}
	switch {
	case pc.AwaitPath(ctx) == nil:
		return visit.OK()
	case isClosed(p.ended):
		return visit.Untested("cut_off")
	case only == peer.Relay && !pc.Gathered():
		return visit.Outcome{Status: report.StatusWarn, Code: "no_relay_address"}
	}
	return visit.Outcome{Status: report.StatusWarn, Code: "no_path"}
}
