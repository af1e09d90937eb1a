package media

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/judge"
	"github.com/tonprobe/tonprobe/probe/media/pcstate"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/arrival"
	"github.com/tonprobe/tonprobe/probe/media/wire/pionlog"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Errors of the connection set-up.
var (
	errNoPath = errors.New("no path for packets was found")
	errNoKeys = errors.New("a path was found, but no keys were agreed")
	errAnswer = errors.New("the collector's response is invalid")
)

// link is the WebRTC connection to the reflector.
type link struct {
	clock    probe.Clock
	log      *slog.Logger
	dial     dialer
	pc       *webrtc.PeerConnection
	track    sendTrack
	arrivals arrival.Stamps
	left     arrival.Stamps
	gates    gates
	arriving chan *webrtc.TrackRemote // receives at most one track
	resource string

	states    pcstate.States
	ice, dtls time.Duration
	path      string
	direct    directPaths
	answered  time.Duration // duration of the collector's response to the offer
}

// openLink prepares a connection that uses the given servers.
func openLink(env probe.Env, servers wire.ICEConfig, c VoiceConfig) (*link, error) {
	l := &link{
		clock: env.Clock, log: env.Log, dial: env.Dial, arriving: make(chan *webrtc.TrackRemote, 1),
	}
	api, err := l.newAPI(env, servers, c)
	if err != nil {
		return nil, err
	}
	pc, err := api.NewPeerConnection(configuration(servers))
	if err != nil {
		return nil, fmt.Errorf("open a WebRTC connection: %w", err)
	}
	l.pc = pc
	if _, err := pc.AddTrack(&l.track); err != nil {
		l.close()
		return nil, fmt.Errorf("open a WebRTC connection: %w", err)
	}
	l.follow()
	return l, nil
}

// follow observes the states of the connection, and passes on the returned stream.
func (l *link) follow() {
	l.states = pcstate.Follow(l.pc)
	l.pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		select {
		case l.arriving <- t:
		default:
		}
	})
}

// offer gathers candidates for at most limit and returns the offer without
// addresses. The limit prevents a TURN server that does not respond from delaying
// the check.
func (l *link) offer(ctx context.Context, limit time.Duration) (string, error) {
	offer, err := l.pc.CreateOffer(nil)
	if err != nil {
		return "", fmt.Errorf("create an offer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(l.pc)
	if err := l.pc.SetLocalDescription(offer); err != nil {
		return "", fmt.Errorf("create an offer: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-gathered:
	case <-ctx.Done():
	}
	return withoutAddresses(l.pc.LocalDescription().SDP), nil
}

// candidate is an address of the other end.
type candidate = webrtc.ICECandidateInit

// connect applies the answer and waits for the path (ICE) and the keys (DTLS).
func (l *link) connect(ctx context.Context, answer string, c VoiceConfig) error {
	start := l.clock.Now()
	defer func() { l.direct.overUDP(l.path) }()
	tcp, err := l.accept(answer)
	if err != nil {
		return err
	}
	if err := l.awaitPath(ctx, tcp, c); err != nil {
		return err
	}
	return l.awaitKeys(ctx, l.reached(start), c.DTLSLimit)
}

// accept applies the answer without its TCP candidates, which it returns: they are
// withheld until UDP has been tried for some time.
func (l *link) accept(answer string) (tcp []candidate, err error) {
	text, tcp := splitTCP(answer)
	if err := l.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text}); err != nil {
		return nil, fmt.Errorf("%w: %w", errAnswer, err)
	}
	return tcp, nil
}

// reached records the path, and returns the time at which it was found.
func (l *link) reached(start time.Time) (connected time.Time) {
	connected = l.clock.Now()
	l.ice = connected.Sub(start)
	l.path = l.selectedPath()
	return connected
}

// awaitKeys waits for the keys, for at most limit after the path was found.
func (l *link) awaitKeys(ctx context.Context, connected time.Time, limit time.Duration) error {
	if err := l.await(ctx, l.states.Keys, limit, errNoKeys); err != nil {
		return err
	}
	l.dtls = l.clock.Now().Sub(connected)
	return nil
}

// await waits until up is closed. It returns fault after limit, or the error of
// ctx.
func (l *link) await(ctx context.Context, up <-chan struct{}, limit time.Duration, fault error) error {
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-up:
		return nil
	case <-l.states.Down:
		return fault
	case <-timed.Done():
		return cmpErr(ctx.Err(), fault)
	}
}

func cmpErr(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// failure returns the result for a connection that could not be established.
func (l *link) failure(err error) probe.Result {
	switch {
	case errors.Is(err, errNoPath):
		r := ended(report.MediaICEFailed, report.StatusFail, errNoPath.Error())
		l.direct.fill(r.Data.(*report.MediaVoice))
		return r
	case errors.Is(err, errNoKeys):
		r := ended(report.MediaDTLSFailed, report.StatusFail, errNoKeys.Error())
		data := r.Data.(*report.MediaVoice)
		data.Path, data.ICEMS = l.path, new(judge.Milliseconds(l.ice))
		l.direct.fill(data)
		return r
	case errors.Is(err, errAnswer):
		return ended(report.MediaServerError, report.StatusUnknown, errAnswer.Error())
	}
	return ended(report.MediaInterrupted, report.StatusUnknown, "stopped before a path was found")
}

// selectedPath returns the type and the transport of our end of the selected path.
// For a relay it is the transport to the TURN server, which is the one that a
// firewall filters.
func (l *link) selectedPath() string {
	senders := l.pc.GetSenders()
	if len(senders) == 0 {
		return ""
	}
	pair, err := senders[0].Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return ""
	}
	transport := pair.Local.Protocol.String()
	if pair.Local.Typ == webrtc.ICECandidateTypeRelay {
		transport = l.relayTransport(pair.Local, transport)
	}
	return pair.Local.Typ.String() + " " + transport
}

func (l *link) relayTransport(local *webrtc.ICECandidate, otherwise string) string {
	for _, s := range l.pc.GetStats() {
		c, ok := s.(webrtc.ICECandidateStats)
		if ok && c.Type == webrtc.StatsTypeLocalCandidate && c.RelayProtocol != "" &&
			c.IP == local.Address && c.Port == int32(local.Port) {
			return c.RelayProtocol
		}
	}
	return otherwise
}

// close closes the connection without waiting: the libraries may still be waiting
// for a server that does not respond.
func (l *link) close() {
	l.direct.close()
	go func() { _ = l.pc.Close() }()
}

// splitTCP removes the TCP candidates from an answer and returns them.
func splitTCP(answer string) (rest string, tcp []candidate) {
	var b strings.Builder
	for line := range strings.Lines(answer) {
		fields := strings.Fields(line)
		if strings.HasPrefix(line, "a=candidate:") && len(fields) > 2 && strings.EqualFold(fields[2], "tcp") {
			tcp = append(tcp, webrtc.ICECandidateInit{
				Candidate:     strings.TrimPrefix(strings.TrimSpace(line), "a="),
				SDPMLineIndex: new(uint16(0)),
			})
			continue
		}
		b.WriteString(line)
	}
	return b.String(), tcp
}

func configuration(servers wire.ICEConfig) webrtc.Configuration {
	var c webrtc.Configuration
	for _, s := range servers.ICEServers {
		c.ICEServers = append(c.ICEServers, webrtc.ICEServer{
			URLs: s.URLs, Username: s.Username, Credential: s.Credential,
		})
	}
	return c
}

// onLoopback reports whether the collector runs on this machine. Loopback
// candidates are useful only then.
func onLoopback(servers wire.ICEConfig) bool {
	for _, s := range servers.ICEServers {
		for _, u := range s.URLs {
			_, rest, _ := strings.Cut(u, ":")
			hostport, _, _ := strings.Cut(rest, "?")
			host, _, err := net.SplitHostPort(hostport)
			if err != nil {
				host = strings.Trim(hostport, "[]")
			}
			ip, err := netip.ParseAddr(host)
			if strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback() {
				return true
			}
		}
	}
	return false
}

// maxChecks is the number of attempts per candidate pair, at five per second: 8 s.
// Attempts that a gate refuses count as well, so this must be longer than the default
// of VoiceConfig.ICELimit.
const maxChecks = 40

// newAPI returns a WebRTC API that does not interfere with the stream: no RTCP
// reports, no retransmission, which would hide loss, and no replay protection,
// which would drop the duplicates to be counted.
func (l *link) newAPI(env probe.Env, servers wire.ICEConfig, c VoiceConfig) (*webrtc.API, error) {
	sockets, err := newStampedNet(env, &l.arrivals, &l.left, &l.gates.overUDP)
	if err != nil {
		return nil, err
	}
	var e webrtc.SettingEngine
	e.LoggerFactory = pionlog.To{Log: env.Log}
	e.SetNet(sockets)
	e.SetICEProxyDialer(newRelayDialer(sockets, env, servers, c, &l.gates.overStream))
	e.SetNetworkTypes([]webrtc.NetworkType{
		webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6,
	})
	e.SetIncludeLoopbackCandidate(onLoopback(servers))
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetICEMaxBindingRequests(maxChecks)
	e.SetSTUNGatherTimeout(time.Second)
	e.SetRelayAcceptanceMinWait(0) // the gates delay the relays instead
	e.SetICETimeouts(3*time.Second, 10*time.Second, time.Second)
	e.SetDTLSRetransmissionInterval(200 * time.Millisecond)
	e.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	e.DisableSRTPReplayProtection(true)
	e.DisableSRTCPReplayProtection(true)
	e.SetFireOnTrackBeforeFirstRTP(true)

	codecs := &webrtc.MediaEngine{}
	// RegisterCodec fails only for an unknown codec type.
	_ = codecs.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: wire.MimeTypeOpus, ClockRate: wire.ClockRateHz, Channels: wire.Channels,
		},
		PayloadType: wire.PayloadType,
	}, webrtc.RTPCodecTypeAudio)
	return webrtc.NewAPI(webrtc.WithSettingEngine(e), webrtc.WithMediaEngine(codecs),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{})), nil
}
