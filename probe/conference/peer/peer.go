// Package peer is a WebRTC connection with one audio stream in each direction, as the
// client of a conference system makes it.
package peer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/arrival"
	"github.com/tonprobe/tonprobe/probe/media/wire/pionlog"
)

// Errors of the connection set-up.
var (
	ErrNoPath = errors.New("no path for packets was found")
	ErrNoKeys = errors.New("no keys were agreed")
	ErrAnswer = errors.New("the server's answer cannot be used")
)

// maxPacketBytes is more than the size of an RTP packet on any line.
const maxPacketBytes = 2048

// gatherLimit limits the search for local addresses.
const gatherLimit = 500 * time.Millisecond

// Config configures a connection.
type Config struct {
	// Server is the address of the conference system.
	Server *url.URL
	// ICEServers are the system's STUN and TURN servers; without any, only local
	// addresses are offered.
	ICEServers []webrtc.ICEServer
	// Only restricts the paths.
	Only Transport
	// Listen means that the connection sends no stream, SendOnly that it receives none.
	Listen, SendOnly bool
	// Arrived receives each packet of the returning stream with the time of its arrival
	// at this computer, Reported each of the server's receiver reports on the sent stream
	// (RFC 3550 §6.4.2). Both are called on goroutines of the connection.
	Arrived  func(p *rtp.Packet, at time.Time)
	Reported func(rtcp.ReceptionReport)
}

// Transport is the kind of a path.
type Transport string

// The transports for Config.Only.
const (
	AnyTransport Transport = ""
	TCP          Transport = "tcp"   // ICE over TCP (RFC 6544)
	Relay        Transport = "relay" // through a TURN server of Config.ICEServers
)

func (t Transport) networkTypes() []webrtc.NetworkType {
	udp := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	tcp := []webrtc.NetworkType{webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6}
	switch t {
	case TCP:
		return tcp
	case Relay:
		// With TCP, pion connects to the server's TCP addresses regardless of the policy.
		// The transport to the relay itself is that of its URL.
		return udp
	}
	return append(udp, tcp...)
}

func (t Transport) policy() webrtc.ICETransportPolicy {
	if t == Relay {
		return webrtc.ICETransportPolicyRelay
	}
	return webrtc.ICETransportPolicyAll
}

// Connection is a WebRTC connection with one audio stream in each direction.
type Connection struct {
	pc       *webrtc.PeerConnection
	clock    probe.Clock
	track    *webrtc.TrackLocalStaticRTP
	ssrc     uint32 // of the sent stream
	arrived  func(*rtp.Packet, time.Time)
	reported func(rtcp.ReceptionReport)

	arrivals, departures arrival.Stamps

	only     Transport
	mu       sync.Mutex
	held     []string // TCP candidates, see udpFirst
	holding  bool
	released bool

	path, keys, down, heard chan struct{} // each closed once
}

// Open prepares a connection. It does not modify the stream: no retransmission, which
// would hide loss, and no receiver reports.
func Open(env probe.Env, config Config) (*Connection, error) {
	var e webrtc.SettingEngine
	e.LoggerFactory = pionlog.To{Log: env.Log}
	c := &Connection{
		clock: env.Clock, only: config.Only, arrived: config.Arrived, reported: config.Reported,
		path: make(chan struct{}), keys: make(chan struct{}), down: make(chan struct{}), heard: make(chan struct{}),
	}
	sockets, err := c.stampedNet(env)
	if err != nil {
		return nil, err
	}
	e.SetNet(sockets)
	e.SetNetworkTypes(config.Only.networkTypes())
	if config.Only == Relay {
		e.SetRelayAcceptanceMinWait(0) // do not wait for a better path
	}
	// Behind a NAT, every direct path is found with these candidates. The library would
	// wait a second for a better one.
	e.SetSrflxAcceptanceMinWait(0)
	e.SetPrflxAcceptanceMinWait(0)
	e.SetIncludeLoopbackCandidate(isLoopback(config.Server))
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetFireOnTrackBeforeFirstRTP(true)
	codecs := &webrtc.MediaEngine{}
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: wire.ClockRateHz, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}
	// It fails only for an unknown codec type.
	_ = codecs.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: opus, PayloadType: wire.PayloadType}, webrtc.RTPCodecTypeAudio)
	api := webrtc.NewAPI(webrtc.WithSettingEngine(e), webrtc.WithMediaEngine(codecs), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	pc, err := api.NewPeerConnection(webrtc.Configuration{ICEServers: config.ICEServers, ICETransportPolicy: config.Only.policy()})
	if err != nil {
		return nil, fmt.Errorf("open a WebRTC connection: %w", err)
	}
	c.pc = pc
	c.follow()
	if config.Listen {
		return c, nil
	}
	if err := c.speak(opus, config.SendOnly); err != nil {
		_ = pc.Close()
		return nil, fmt.Errorf("open a WebRTC connection: %w", err)
	}
	return c, nil
}

// TrackID is the name of the sent stream in an offer.
const TrackID = "voice"

// speak adds the stream to be sent.
func (c *Connection) speak(codec webrtc.RTPCodecCapability, only bool) error {
	var err error
	if c.track, err = webrtc.NewTrackLocalStaticRTP(codec, TrackID, TrackID); err != nil {
		return err
	}
	direction := webrtc.RTPTransceiverDirectionSendrecv
	if only {
		direction = webrtc.RTPTransceiverDirectionSendonly
	}
	t, err := c.pc.AddTransceiverFromTrack(c.track, webrtc.RTPTransceiverInit{Direction: direction})
	if err != nil {
		return err
	}
	for _, e := range t.Sender().GetParameters().Encodings {
		c.ssrc = uint32(e.SSRC)
	}
	go c.readReports(t.Sender())
	return nil
}

// follow translates the states of the connection into channels, and reads the returned
// stream.
func (c *Connection) follow() {
	path := sync.OnceFunc(func() { close(c.path) })
	keys := sync.OnceFunc(func() { close(c.keys) })
	down := sync.OnceFunc(func() { close(c.down) })
	c.pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) {
		switch s {
		case webrtc.ICEConnectionStateConnected, webrtc.ICEConnectionStateCompleted:
			path()
		case webrtc.ICEConnectionStateFailed, webrtc.ICEConnectionStateClosed:
			down()
		}
	})
	c.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			keys()
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			down()
		}
	})
	heard := sync.OnceFunc(func() { close(c.heard) })
	c.pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		heard()
		go c.listen(t)
	})
}

// listen reads the returning stream.
func (c *Connection) listen(t *webrtc.TrackRemote) {
	buf := make([]byte, maxPacketBytes)
	for {
		n, _, err := t.Read(buf)
		now := c.clock.Now()
		if err != nil {
			return
		}
		p := &rtp.Packet{}
		if p.Unmarshal(buf[:n]) != nil {
			continue
		}
		p.Payload = slices.Clone(p.Payload)
		c.arrived(p, c.arrivals.Take(buf[:n], now))
	}
}

// readReports reads the server's receiver reports (RFC 3550 §6.4.2), which contain the
// upstream loss.
func (c *Connection) readReports(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			var reports []rtcp.ReceptionReport
			switch p := p.(type) {
			case *rtcp.ReceiverReport:
				reports = p.Reports
			case *rtcp.SenderReport:
				reports = p.Reports
			}
			for _, r := range reports {
				c.reported(r)
			}
		}
	}
}

// Offer returns the offer with the gathered addresses.
func (c *Connection) Offer(ctx context.Context) (string, error) {
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		return "", fmt.Errorf("make an offer: %w", err)
	}
	return c.describe(ctx, offer)
}

// describe applies the local description and returns it with the addresses gathered
// within gatherLimit. A relay that takes longer is used anyway: a server learns an
// address from the first packet from it (RFC 8445 §7.3.1.3).
func (c *Connection) describe(ctx context.Context, own webrtc.SessionDescription) (string, error) {
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(own); err != nil {
		return "", fmt.Errorf("apply the own description: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, gatherLimit)
	defer cancel()
	select {
	case <-gathered:
	case <-ctx.Done():
	}
	return c.pc.LocalDescription().SDP, nil
}

// Limits of a description of the server. Each of its candidates is an address that this
// computer sends to.
const (
	maxSDPBytes   = 64 << 10
	maxCandidates = 32
)

// bounded returns a description with its first candidates only. The error is ErrAnswer.
func bounded(sdp string) (string, error) {
	if len(sdp) > maxSDPBytes {
		return "", fmt.Errorf("%w: %d bytes", ErrAnswer, len(sdp))
	}
	var b strings.Builder
	candidates := 0
	for line := range strings.Lines(sdp) {
		if strings.HasPrefix(line, "a=candidate:") {
			if candidates++; candidates > maxCandidates {
				continue
			}
		}
		b.WriteString(line)
	}
	return b.String(), nil
}

// Answer applies the server's answer. The error is ErrAnswer.
func (c *Connection) Answer(sdp string) error {
	sdp, err := bounded(sdp)
	if err != nil {
		return err
	}
	err = c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: c.withhold(sdp)})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return nil
}

// Accept applies an offer of the server and returns the answer. The error is ErrAnswer
// if the offer cannot be used.
func (c *Connection) Accept(ctx context.Context, sdp string) (string, error) {
	sdp, err := bounded(sdp)
	if err != nil {
		return "", err
	}
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: c.withhold(sdp)}); err != nil {
		return "", fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return c.describe(ctx, answer)
}

// Candidate adds an address of the server that arrived after its answer.
func (c *Connection) Candidate(candidate string) {
	if !c.withheld(candidate) {
		c.add(candidate)
	}
}

// AwaitPath waits for a path for packets, and AwaitKeys for the keys of the encryption.
// The errors are ErrNoPath, ErrNoKeys or ctx's.
func (c *Connection) AwaitPath(ctx context.Context) error { return c.await(ctx, c.path, ErrNoPath) }

// AwaitKeys is described at AwaitPath.
func (c *Connection) AwaitKeys(ctx context.Context) error { return c.await(ctx, c.keys, ErrNoKeys) }

func (c *Connection) await(ctx context.Context, up <-chan struct{}, fault error) error {
	select {
	case <-up:
		return nil
	case <-c.down:
		return fault
	case <-ctx.Done():
		return errors.Join(fault, ctx.Err())
	}
}

// Path returns the kind and transport of the local end of the path, such as "host udp";
// for a relay, the transport to the relay.
func (c *Connection) Path() string {
	pair, err := c.selected()
	if err != nil || pair == nil {
		return ""
	}
	if pair.Local.Typ == webrtc.ICECandidateTypeRelay {
		return "relay " + c.relayTransport(pair.Local)
	}
	return pair.Local.Typ.String() + " " + pair.Local.Protocol.String()
}

// selected returns the path. All streams and data share one transport (BUNDLE, RFC 9143).
func (c *Connection) selected() (*webrtc.ICECandidatePair, error) {
	return c.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
}

// relayTransport returns the transport to a relay: udp, tcp or tls.
func (c *Connection) relayTransport(local *webrtc.ICECandidate) string {
	for _, s := range c.pc.GetStats() {
		if found, ok := s.(webrtc.ICECandidateStats); ok && found.Type == webrtc.StatsTypeLocalCandidate &&
			found.RelayProtocol != "" && found.IP == local.Address && found.Port == int32(local.Port) {
			return found.RelayProtocol
		}
	}
	return "udp"
}

// ServerAddress returns the address and port of the server's end of the path.
func (c *Connection) ServerAddress() (netip.AddrPort, bool) {
	pair, err := c.selected()
	if err != nil || pair == nil {
		return netip.AddrPort{}, false
	}
	ip, err := netip.ParseAddr(pair.Remote.Address)
	return netip.AddrPortFrom(ip.Unmap(), pair.Remote.Port), err == nil
}

// Gathered reports whether the local description contains an address that the transport
// permits, such as one of a relay.
func (c *Connection) Gathered() bool {
	own := c.pc.LocalDescription()
	return own != nil && strings.Contains(own.SDP, "a=candidate:")
}

// Heard is closed when the server has announced a stream.
func (c *Connection) Heard() <-chan struct{} { return c.heard }

// Close closes the connection without waiting.
func (c *Connection) Close() { go func() { _ = c.pc.Close() }() }

// Write sends one packet of the stream. It sets payload type and SSRC.
func (c *Connection) Write(p *rtp.Packet) error { return c.track.WriteRTP(p) }

// Left returns when a packet that was just written left this computer, and otherwise if
// that is not known, as over TCP and through a relay.
func (c *Connection) Left(seq uint16, otherwise time.Time) time.Time {
	at, ok := c.departures.TakeSent(c.ssrc, seq)
	if !ok || at.Before(otherwise) || at.After(c.clock.Now()) {
		return otherwise
	}
	return at
}

// Announce sends a sender report on the stream; its source is filled in.
func (c *Connection) Announce(r rtcp.SenderReport) error {
	r.SSRC = c.ssrc
	if err := c.pc.WriteRTCP([]rtcp.Packet{&r}); err != nil {
		return fmt.Errorf("send a sender report: %w", err)
	}
	return nil
}

// Down is closed when the connection has ended or failed.
func (c *Connection) Down() <-chan struct{} { return c.down }

// isLoopback reports whether the server is on this computer.
func isLoopback(u *url.URL) bool {
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && a.IsLoopback()
}
