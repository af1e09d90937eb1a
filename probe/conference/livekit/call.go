package livekit

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/conference/livekit/signal"
	"github.com/tonprobe/tonprobe/probe/conference/mirror"
	"github.com/tonprobe/tonprobe/probe/conference/peer"
	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// otherPathTime limits each test of another path; a working one is found within a tenth
// of a second.
const otherPathTime = 1500 * time.Millisecond

// mediaSteps contains the steps that require a test room.
var mediaSteps = []report.ConferenceStep{
	report.StepRelay, report.StepCall, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown,
	report.StepPathTCP, report.StepPathRelay,
}

// Room is the room in which the two participants of a call meet.
type Room struct {
	// URL is the address of the signalling.
	URL *url.URL
	// Publish and Subscribe are the tokens of the speaking and of the listening
	// participant. Both may permit both.
	Publish, Subscribe string
	// ICEServers replace those named by LiveKit, as in the client of BigBlueButton; nil
	// keeps LiveKit's.
	ICEServers []webrtc.ICEServer
	// Shared is true if others may be in the room: the listener then subscribes only to
	// the speaker's stream.
	Shared bool
	// Leaving, if not nil, is called at the end of the call, while both leave the room.
	Leaving func()
}

// Pair is a pair of participants in a room, because LiveKit does not send a participant
// its own stream.
type Pair struct {
	room              Room
	speaker, listener *participant
}

// Join joins with both participants concurrently, because each takes several round trips
// on a slow line. Leave must be called afterwards, even after a fault.
func Join(ctx context.Context, v *visit.Visit, room Room) (*Pair, visit.Outcome) {
	p := &Pair{room: room}
	enter := func(target signal.Target, who **participant) (o visit.Outcome) {
		if *who, o = dial(ctx, v, room, target); *who == nil {
			return o
		}
		return (*who).join(ctx)
	}
	var speaks, listens visit.Outcome
	visit.Together(
		func() { speaks = enter(signal.Publisher, &p.speaker) },
		func() { listens = enter(signal.Subscriber, &p.listener) },
	)
	if speaks.Status == report.StatusOK {
		return p, listens
	}
	return p, speaks
}

// Leave leaves with both. It may be called twice, and on nil.
func (p *Pair) Leave() {
	if p == nil {
		return
	}
	visit.Together(p.speaker.leave, p.listener.leave)
	p.speaker, p.listener = nil, nil
}

// servers returns the STUN and TURN servers of a participant, and the number of entries that
// WebRTC rejects.
func (p *participant) servers(room Room) (usable []webrtc.ICEServer, bad int) {
	if room.ICEServers != nil {
		return room.ICEServers, 0
	}
	return iceServers(p.welcome.ICEServers)
}

// Numbers of round trips of a check besides those of the stream: connection and API, two
// participants, tracks, path, keys and the first packets; inside BigBlueButton also those until
// the token arrives.
const (
	tripsBesideStream    = 12
	tripsOfBigBlueButton = 16
)

// Named describes the addresses that the server named for the media.
type Named struct {
	// TCP is true if one of them is for TCP, OnlyPrivate if all are private and none was
	// reached.
	TCP, OnlyPrivate bool
}

// Call performs the steps of a call from one participant to the other. tryRelays, if not
// nil, is called once the address of the media server is known.
func (p *Pair) Call(ctx context.Context, v *visit.Visit, tryRelays func(media netip.Addr)) Named {
	pair, err := mirror.OpenPair(v.Env, p.config(p.speaker, peer.AnyTransport), p.config(p.listener, peer.AnyTransport))
	if err != nil {
		v.Env.Log.Warn("WebRTC could not be started", "err", report.ErrorText(err))
		v.SkipMedia("no_webrtc")
		return Named{}
	}
	defer pair.Close()
	trips := tripsBesideStream
	if p.room.Shared {
		trips = tripsOfBigBlueButton
	}
	pair.Shorten(v.StreamTime(mirror.StreamTime, trips))
	// A cancelled check also leaves the room over these sockets.
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	p.listener.follow(following, pair.Down)
	p.speaker.follow(following, pair.Up)
	c := &call{Pair: pair, v: v, speaker: p.speaker, listener: p.listener, shared: p.room.Shared, tryRelays: tryRelays}
	v.Media(ctx, c, c.begin)
	named := Named{TCP: c.offersTCP(), OnlyPrivate: c.onlyPrivate()}
	// The sockets are read until here, because the server closes them only after the leave
	// message.
	if p.room.Leaving == nil {
		p.Leave()
	} else {
		visit.Together(p.Leave, p.room.Leaving)
	}
	return named
}

// earlyPair is the pair in the collector's test room, which joins while the API is tested.
type earlyPair struct {
	step *visit.Early
	room Room
	pair *Pair
}

func beginPair(ctx context.Context, v *visit.Visit) *earlyPair {
	e := &earlyPair{room: Room{URL: v.URL, Publish: v.Room.Publish, Subscribe: v.Room.Subscribe}}
	e.step = v.BeginConnected(ctx, report.StepSignIn, func(ctx context.Context) (o visit.Outcome) {
		e.pair, o = Join(ctx, v, e.room)
		return o
	})
	return e
}

func (e *earlyPair) leave() {
	e.step.Wait()
	e.pair.Leave()
}

// sound makes a call in the collector's test room, once trips has ended.
func sound(ctx context.Context, v *visit.Visit, trips *visit.Early, joining *earlyPair) {
	joined := v.Finish(joining.step)
	room, p := joining.room, joining.pair
	v.Finish(trips)
	if !joined {
		v.SkipAll(visit.StepFailed, mediaSteps...)
		return
	}
	v.Data.Version = p.version()
	servers, bad := p.speaker.servers(room)
	var relays *relaytest.Test
	var tryRelays func(netip.Addr)
	if hasRelay(servers) || bad > 0 {
		v.Skip(report.StepRelay, visit.StepFailed) // reserves its position; Record replaces it
		tryRelays = func(media netip.Addr) { relays = relaytest.Start(ctx, v, listOf(servers, bad), media) }
	} else {
		v.Skip(report.StepRelay, "not_offered")
	}
	// A token admits one participant at a time: both have left after the call.
	named := p.Call(ctx, v, tryRelays)
	relays.Record()
	v.ExplainPrivate(named.OnlyPrivate, hasRelay(servers))
	if step, _ := v.Data.Check(report.StepPath); step.Status != report.StatusOK {
		why := visit.StepFailed // all paths were tried
		if step.Code == "no_webrtc" {
			why = step.Code
		}
		v.SkipAll(why, report.StepPathTCP, report.StepPathRelay)
		return
	}
	otherPaths(ctx, v, room, servers, named.TCP, v.Data.Media.Path)
}

// version returns the version that the server reports; "" if it is not a version.
func (p *Pair) version() string {
	if word := p.speaker.welcome.Version; len(word) <= 32 && strings.Trim(word, "0123456789.abcdefghijklmnopqrstuvwxyz-") == "" {
		return word
	}
	return ""
}

// config returns the configuration of a participant's connection.
func (p *Pair) config(of *participant, only peer.Transport) peer.Config {
	servers, _ := of.servers(p.room)
	return peer.Config{Server: p.room.URL, ICEServers: servers, Only: only, Listen: of.target == signal.Subscriber}
}

// iceServers returns the entries that WebRTC accepts, and the number of the others: a single
// invalid one would prevent the connection.
func iceServers(told []signal.ICEServer) (all []webrtc.ICEServer, bad int) {
	for _, s := range told {
		usable := webrtc.ICEServer{Username: s.Username, Credential: s.Credential}
		for _, u := range s.URLs {
			parsed, err := stun.ParseURI(u)
			isRelay := err == nil && (parsed.Scheme == stun.SchemeTypeTURN || parsed.Scheme == stun.SchemeTypeTURNS)
			if err != nil || isRelay && (s.Username == "" || s.Credential == "") {
				bad++
				continue
			}
			usable.URLs = append(usable.URLs, u)
		}
		if len(usable.URLs) > 0 {
			all = append(all, usable)
		}
	}
	return all, bad
}

// call is a call of two participants.
type call struct {
	*mirror.Pair
	v                 *visit.Visit
	speaker, listener *participant
	shared            bool
	// tryRelays starts the test of the relays; nil if the server has none.
	tryRelays func(media netip.Addr)
}

// AwaitPath implements visit.Call. The relays are tested once the address of the media
// server is known, concurrently with the stream. An IPv4 address is used even if the path is
// IPv6: relays allocate IPv4 addresses unless requested otherwise (RFC 8656 §7.2).
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

// listOf returns the servers for the test of the relays. bad is the number of entries that
// WebRTC rejects.
func listOf(servers []webrtc.ICEServer, bad int) (list relaytest.List) {
	list.Bad = bad
	for _, s := range servers {
		one := wire.ICEServer{URLs: s.URLs, Username: s.Username}
		if secret, ok := s.Credential.(string); ok {
			one.Credential = secret
		}
		list.ICEServers = append(list.ICEServers, one)
	}
	return list
}

// begin offers the stream. The listener's connection is established by offers of the
// server, which its participant answers concurrently. In a shared room the listener
// subscribes to the speaker's stream only, like the client of BigBlueButton.
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
			return c.speaker.cutOff()
		case <-c.listener.ended:
			return c.listener.cutOff()
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

// Run sends the stream once the server forwards it to the listener, until the server
// mutes the stream or removes one of the two.
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
	if !c.shared && c.offersTCP() {
		c.v.OpenAhead(ctx, 1) // for the test of the path over TCP
	}
	// Even if nothing is forwarded, the packets that arrived at the server are known.
	c.Lead(ctx)
	c.Pair.Run(ctx)
}

// Fill implements visit.Call. The server's own actions on the stream are not attributed
// to the line.
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

// onlyPrivate reports whether all addresses that the server named to the two participants are
// private. One that was reached is no reason why the other participant has no path.
func (c *call) onlyPrivate() bool {
	_, reached := c.Up.ServerAddress()
	return !reached && c.speaker.onlyPrivate() && c.listener.onlyPrivate()
}

// otherPaths tests the paths that the call did not use: TCP and a relay. If it used one of
// them, that one works.
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

// otherPath joins again with a single transport allowed. Since the main path works, one
// that does not is only a warning. The speaker joins, because the server controls the
// listener's connection and waits 2 s for a better path than a relay.
func otherPath(ctx context.Context, v *visit.Visit, room Room, only peer.Transport) visit.Outcome {
	ctx, cancel := context.WithTimeout(ctx, otherPathTime)
	defer cancel()
	p, o := dial(ctx, v, room, signal.Publisher)
	if p == nil {
		return visit.Untested(o.Code)
	}
	// stop closes the socket, so it is called after leave.
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer p.leave()
	if o := p.join(ctx); o.Status != report.StatusOK {
		return visit.Untested(o.Code)
	}
	pc, err := peer.Open(v.Env, (&Pair{room: room}).config(p, only))
	if err != nil {
		return visit.Untested("no_webrtc")
	}
	defer pc.Close()
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
