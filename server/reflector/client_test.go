package reflector

import (
	"sync/atomic"
	"testing"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// client is the client of an echo session.
type client struct {
	pc    *webrtc.PeerConnection
	track *webrtc.TrackLocalStaticRTP
	down  chan wire.Down
	up    chan struct{}
}

func newClient(t testing.TB) *client {
	t.Helper()
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	e.DisableSRTPReplayProtection(true)
	e.SetFireOnTrackBeforeFirstRTP(true)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	m := &webrtc.MediaEngine{}
	codec := webrtc.RTPCodecCapability{MimeType: wire.MimeTypeOpus, ClockRate: wire.ClockRateHz, Channels: wire.Channels}
	if err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: codec, PayloadType: wire.PayloadType}, webrtc.RTPCodecTypeAudio); err != nil {
		t.Fatal(err)
	}
	track, err := webrtc.NewTrackLocalStaticRTP(codec, "voice", "voice")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(e), webrtc.WithMediaEngine(m),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{})).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{pc: pc, track: track, down: make(chan wire.Down, 1000), up: make(chan struct{})}
	t.Cleanup(c.close)
	if _, err := pc.AddTrack(track); err != nil {
		t.Fatal(err)
	}
	var once atomic.Bool
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected && once.CompareAndSwap(false, true) {
			close(c.up)
		}
	})
	pc.OnTrack(func(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { c.read(tr) })
	return c
}

func (c *client) close() { _ = c.pc.GracefulClose() }

func (c *client) read(t *webrtc.TrackRemote) {
	buf := make([]byte, 1500)
	var h rtp.Header
	for {
		n, _, err := t.Read(buf)
		if err != nil {
			return
		}
		at, err := h.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		if d, err := wire.ParseDown(buf[at:n]); err == nil {
			c.down <- d
		}
	}
}

func (c *client) offer(t testing.TB) string {
	t.Helper()
	o, err := c.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return c.pc.LocalDescription().SDP
}

// connect opens a session and waits for its keys.
func (c *client) connect(t testing.TB, r *Reflector, owner string) (id string) {
	t.Helper()
	id, answer, err := r.Offer(t.Context(), owner, c.offer(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatalf("set the answer: %v in\n%s", err, answer)
	}
	wait(t, c.up)
	return id
}

func (c *client) send(t testing.TB, seq uint32, size int) {
	t.Helper()
	b, err := wire.AppendUp(nil, wire.Up{Seq: seq, SentNS: int64(seq) + 1}, size)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, seq, b)
}

// write sends payload as packet seq.
func (c *client) write(t testing.TB, seq uint32, payload []byte) {
	t.Helper()
	h := rtp.Header{Version: 2, SequenceNumber: uint16(seq), Timestamp: seq * uint32(wire.StampStep)}
	if err := c.track.WriteRTP(&rtp.Packet{Header: h, Payload: payload}); err != nil {
		t.Fatal(err)
	}
}

func (c *client) offerText() string { return c.pc.LocalDescription().SDP }
