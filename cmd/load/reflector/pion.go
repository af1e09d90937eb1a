package reflector

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/reflector"
)

// pionEcho is an echo server made of peer connections of pion/webrtc on one UDP port, with
// ICE-lite and without interceptors. The reflector's own implementation of ICE is measured
// against it.
type pionEcho struct {
	api    *webrtc.API
	cert   webrtc.Certificate
	socket *net.UDPConn
	epoch  time.Time

	mu    sync.Mutex
	calls map[string]*pionCall
}

func newPionEcho() (*pionEcho, error) {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("open the socket: %w", err)
	}
	_ = socket.SetReadBuffer(16 << 20) // as the reflector's, as far as the system permits
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("create a key: %w", err)
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, fmt.Errorf("create a certificate: %w", err)
	}
	var e webrtc.SettingEngine
	e.SetLite(true)
	e.SetIncludeLoopbackCandidate(true)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	e.SetICEUDPMux(webrtc.NewICEUDPMux(nil, socket))
	e.DisableSRTPReplayProtection(true)
	m := &webrtc.MediaEngine{}
	err = m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: pionOpus(), PayloadType: wire.PayloadType}, webrtc.RTPCodecTypeAudio)
	if err != nil {
		return nil, fmt.Errorf("register the codec: %w", err)
	}
	return &pionEcho{
		api:    webrtc.NewAPI(webrtc.WithSettingEngine(e), webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(&interceptor.Registry{})),
		cert:   *cert,
		socket: socket, epoch: time.Now(), calls: map[string]*pionCall{},
	}, nil
}

func pionOpus() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{MimeType: wire.MimeTypeOpus, ClockRate: wire.ClockRateHz, Channels: wire.Channels}
}

// MediaAddr implements echoServer.
func (p *pionEcho) MediaAddr() netip.AddrPort {
	return p.socket.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Offer implements echoServer.
func (p *pionEcho) Offer(_ context.Context, _, sdp string) (id, answer string, err error) {
	pc, err := p.api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{p.cert}})
	if err != nil {
		return "", "", fmt.Errorf("create a peer connection: %w", err)
	}
	defer func() {
		if err != nil {
			_ = pc.Close()
		}
	}()
	c := &pionCall{pc: pc, epoch: p.epoch}
	if c.track, err = webrtc.NewTrackLocalStaticRTP(pionOpus(), "echo", "echo"); err != nil {
		return "", "", fmt.Errorf("create a track: %w", err)
	}
	if _, err = pc.AddTrack(c.track); err != nil {
		return "", "", fmt.Errorf("add the track: %w", err)
	}
	pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { c.echo(t) })
	if err = pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}); err != nil {
		return "", "", fmt.Errorf("use the offer: %w", err)
	}
	a, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", "", fmt.Errorf("create the answer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err = pc.SetLocalDescription(a); err != nil {
		return "", "", fmt.Errorf("use the answer: %w", err)
	}
	<-gathered
	p.mu.Lock()
	defer p.mu.Unlock()
	id = strconv.Itoa(len(p.calls))
	p.calls[id] = c
	return id, pc.LocalDescription().SDP, nil
}

// End implements echoServer. The log contains numbers only.
func (p *pionEcho) End(_, id string) (wire.EchoLog, error) {
	p.mu.Lock()
	c := p.calls[id]
	p.mu.Unlock()
	if c == nil {
		return wire.EchoLog{}, errors.New("no such call")
	}
	err := c.pc.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	return wire.EchoLog{UpUnique: c.arrived, DownSent: c.sent, DownFailed: c.arrived - c.sent}, err
}

// Stats implements echoServer; nothing is counted.
func (p *pionEcho) Stats() reflector.Stats { return reflector.Stats{} }

// Close implements echoServer.
func (p *pionEcho) Close() error { return p.socket.Close() }

type pionCall struct {
	pc    *webrtc.PeerConnection
	track *webrtc.TrackLocalStaticRTP
	epoch time.Time

	mu            sync.Mutex
	arrived, sent int
}

// echo answers each packet of the track with one of the same length.
func (c *pionCall) echo(t *webrtc.TrackRemote) {
	in, out := make([]byte, 1500), make([]byte, 0, 1500)
	var h rtp.Header
	for seq := uint32(0); ; seq++ {
		n, _, err := t.Read(in)
		if err != nil {
			return
		}
		arrivedNS := int64(time.Since(c.epoch))
		at, err := h.Unmarshal(in[:n])
		if err != nil {
			continue
		}
		up, err := wire.ParseUp(in[at:n])
		if err != nil {
			continue
		}
		payload, err := wire.AppendDown(out, wire.Down{
			Seq: seq, SentNS: max(arrivedNS, int64(time.Since(c.epoch))), UpSeq: up.Seq, UpSentNS: up.SentNS, UpArrivedNS: arrivedNS, UpUnique: seq + 1,
		}, n-at)
		if err == nil {
			err = c.track.WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: uint16(seq), Timestamp: seq * uint32(wire.StampStep)},
				Payload: payload,
			})
		}
		c.mu.Lock()
		c.arrived++
		if err == nil {
			c.sent++
		}
		c.mu.Unlock()
	}
}
