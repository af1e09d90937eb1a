// Package peer is a WebRTC connection with one audio stream in each direction, as the
// client of a conference system makes it.
package peer

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/pcstate"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/arrival"
	"github.com/tonprobe/tonprobe/probe/media/wire/pionlog"
)

// Errors of the connection set-up.
var (
	ErrNoPath = errors.New("no path for packets was found")
	ErrNoKeys = errors.New("no keys were agreed")
	ErrAnswer = errors.New("the server's response is invalid")
)

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
	log      *slog.Logger
	track    *webrtc.TrackLocalStaticRTP
	ssrc     uint32 // of the sent stream
	arrived  func(*rtp.Packet, time.Time)
	reported func(rtcp.ReceptionReport)

	arrivals, departures arrival.Stamps

	only       Transport
	mu         sync.Mutex
	candidates int      // of the server, at most maxCandidates
	held       []string // TCP candidates, see udpFirst
	holding    bool
	released   bool

	states pcstate.States
	heard  chan struct{} // closed once
}

// Open prepares a connection. It does not modify the stream: no retransmission, which
// would hide loss, and no receiver reports.
func Open(env probe.Env, config Config) (*Connection, error) {
	var e webrtc.SettingEngine
	e.LoggerFactory = pionlog.To{Log: env.Log}
	c := &Connection{
		clock: env.Clock, log: env.Log, only: config.Only, arrived: config.Arrived, reported: config.Reported,
		heard: make(chan struct{}),
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
	// The cookie of DTLS protects servers from forged addresses (RFC 6347 §4.2.1); the server's
	// address was verified by ICE. This saves a round trip if the server begins the handshake.
	e.SetDTLSInsecureSkipHelloVerify(true)
	if config.Listen {
		// So that the server begins. It fails only for an unknown role.
		_ = e.SetAnsweringDTLSRole(webrtc.DTLSRoleServer)
	}
	codecs := &webrtc.MediaEngine{}
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: wire.ClockRateHz, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}
	// RegisterCodec fails only for an unknown codec type.
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
	guard.Go(c.log, func() { c.readReports(t.Sender()) })
	return nil
}

// follow observes the states of the connection, and reads the returned stream.
func (c *Connection) follow() {
	c.states = pcstate.Follow(c.pc)
	heard := sync.OnceFunc(func() { close(c.heard) })
	c.pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		heard()
		guard.Go(c.log, func() { c.listen(t) })
	})
}

// Heard is closed when the server has announced a stream.
func (c *Connection) Heard() <-chan struct{} { return c.heard }

// Close closes the connection without waiting.
func (c *Connection) Close() { go func() { _ = c.pc.Close() }() }

// Down is closed when the connection has ended or failed.
func (c *Connection) Down() <-chan struct{} { return c.states.Down }

// isLoopback reports whether the server is on this computer.
func isLoopback(u *url.URL) bool {
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && a.IsLoopback()
}
