package reflect

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/arrival"
)

// mediaPort is the one port of the echo.
type mediaPort struct {
	addrs      []netip.AddrPort // really bound
	advertised []netip.AddrPort // what answers and permissions name
	udp        ice.UDPMux
	tcp        ice.TCPMux
	stamps     *arrival.Stamps // of what came over UDP
}

func openMedia(cfg Config) (*mediaPort, error) {
	p, err := openPorts(cfg.MediaListen, cfg.Log)
	if err != nil {
		return nil, fmt.Errorf("open the media port: %w", err)
	}
	log := pionLogs{cfg.Log}.NewLogger("mux")
	m := &mediaPort{addrs: p.addrs, advertised: p.addrs, stamps: new(arrival.Stamps)}
	if len(cfg.MediaIPs) > 0 {
		m.advertised = nil
		for _, ip := range cfg.MediaIPs {
			m.advertised = append(m.advertised, netip.AddrPortFrom(ip.Unmap(), p.addrs[0].Port()))
		}
	}
	var muxes []ice.UDPMux
	for _, conn := range p.udp {
		muxes = append(muxes, ice.NewUDPMuxDefault(ice.UDPMuxParams{
			Logger: log, UDPConn: arrival.Wrap(conn, m.stamps, cfg.Now),
		}))
	}
	m.udp = ice.NewMultiUDPMuxDefault(muxes...)
	m.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: newBoundedListener(p.tcp, cfg.Limits.TCPConns, cfg.Limits.TCPIdle),
		Logger:   log,
		// Room for half a second of a voice stream that comes in one lump.
		ReadBufferSize:               32,
		AliveDurationForConnFromStun: 5 * time.Second,
	})
	return m, nil
}

func (m *mediaPort) Close() error {
	return ignoreClosed(errors.Join(m.udp.Close(), m.tcp.Close()))
}

// canonicalIP brings a peer's IP into the form the lists of addresses use.
func canonicalIP(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// owns says whether addr is the media port, under its own or an advertised name.
func (m *mediaPort) owns(addr netip.AddrPort) bool {
	return addr.Port() == m.addrs[0].Port() && m.ownsIP(addr.Addr())
}

func (m *mediaPort) ownsIP(ip netip.Addr) bool {
	_, ok := m.local(ip)
	return ok
}

// local is the bound address behind ip: itself, or for an advertised address
// that no interface has, one of the same family.
func (m *mediaPort) local(ip netip.Addr) (netip.AddrPort, bool) {
	for _, a := range m.addrs {
		if a.Addr() == ip {
			return a, true
		}
	}
	for _, adv := range m.advertised {
		if adv.Addr() == ip {
			return m.sameFamily(ip)
		}
	}
	return netip.AddrPort{}, false
}

func (m *mediaPort) sameFamily(ip netip.Addr) (netip.AddrPort, bool) {
	for _, a := range m.addrs {
		if a.Addr().Is4() == ip.Is4() {
			return a, true
		}
	}
	return netip.AddrPort{}, false
}

// newAPI is a WebRTC that adds nothing of its own to the stream.
func newAPI(m *mediaPort, log *slog.Logger) *webrtc.API {
	var e webrtc.SettingEngine
	e.LoggerFactory = pionLogs{log}
	e.SetLite(true)
	e.SetICEUDPMux(m.udp)
	e.SetICETCPMux(m.tcp)
	e.SetNetworkTypes([]webrtc.NetworkType{
		webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6,
	})
	e.SetIncludeLoopbackCandidate(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetICETimeouts(5*time.Second, 10*time.Second, 2*time.Second)
	// The receiver would otherwise swallow what we want to count.
	e.DisableSRTPReplayProtection(true)
	e.DisableSRTCPReplayProtection(true)
	// Set up the receiver with the keys and not with the first packet, whose
	// stamp would be late by that work.
	e.SetFireOnTrackBeforeFirstRTP(true)
	// A handshake over a line that loses packets must not wait 1 s for each
	// flight (RFC 9147 §5.8.2 allows less on a known short path).
	e.SetDTLSRetransmissionInterval(200 * time.Millisecond)
	e.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)

	codecs := &webrtc.MediaEngine{}
	// It fails only for a codec type that does not exist.
	_ = codecs.RegisterCodec(echoCodec(), webrtc.RTPCodecTypeAudio)

	// An empty registry: no sender reports, no retransmission, no congestion
	// feedback. They would be extra packets, and retransmission would hide loss.
	return webrtc.NewAPI(webrtc.WithSettingEngine(e), webrtc.WithMediaEngine(codecs),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
}

func echoCodec() webrtc.RTPCodecParameters {
	return webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: wire.MimeTypeOpus, ClockRate: wire.ClockRateHz, Channels: wire.Channels,
		},
		PayloadType: wire.PayloadType,
	}
}
