package bbbrig

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"regexp"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/conference/testsignal"
)

// Delays of FreeSWITCH and mediasoup.
const (
	echoSleep   = 500 * time.Millisecond // of the dial plan, before the echo
	echoDelay   = 20 * time.Millisecond  // to decode and encode a frame
	firstReport = 1500 * time.Millisecond
	nextReport  = 5 * time.Second
)

// transcoded is the recorded sound of package testsignal after a second encoder:
// decoded, and encoded by libopus with "-application voip -vbr off -b:a 30k".
// TestTranscoded with -update generates it.
//
//go:embed testdata/transcoded.opus
var transcoded []byte

// transcodedBytes is the length of each of its packets.
const transcodedBytes = 75

// recode returns the packet that FreeSWITCH sends for a received one: the same
// sound, encoded again.
func recode(payload []byte) []byte {
	for i := range testsignal.Packets {
		if string(testsignal.Packet(i)) == string(payload) {
			return transcoded[i*transcodedBytes : (i+1)*transcodedBytes]
		}
	}
	return payload
}

// call is one call with its media.
type call struct {
	rig       *Rig
	pc        *webrtc.PeerConnection
	track     *webrtc.TrackLocalStaticRTP
	connected chan struct{}
	done      chan struct{}
	end       sync.Once

	mu       sync.Mutex
	ssrc     webrtc.SSRC
	first    uint16
	highest  uint16
	received int
	started  time.Time // of the sound
	transit  float64   // of the last packet, in units of its timestamp
	jitter   float64   // RFC 3550 §6.4.1
	sent     uint16
}

// newCall answers an offer like an ICE-lite server, with all candidates in the answer.
func (r *Rig) newCall(offer string) (*call, string, error) {
	var e webrtc.SettingEngine
	e.SetLite(true)
	r.Place.address(&e)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	codecs := &webrtc.MediaEngine{}
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "useinbandfec=1;maxaveragebitrate=30000;maxplaybackrate=48000;ptime=20;minptime=10;maxptime=40"}
	if err := codecs.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: opus, PayloadType: 111}, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, "", err
	}
	api := webrtc.NewAPI(webrtc.WithSettingEngine(e), webrtc.WithMediaEngine(codecs), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, "", err
	}
	c := &call{rig: r, pc: pc, connected: make(chan struct{}), done: make(chan struct{})}
	answer, err := c.answer(opus, offer)
	if err != nil {
		c.close()
		return nil, "", err
	}
	return c, answer, nil
}

func (c *call) answer(opus webrtc.RTPCodecCapability, offer string) (string, error) {
	var err error
	if c.track, err = webrtc.NewTrackLocalStaticRTP(opus, "audio", "freeswitch"); err != nil {
		return "", err
	}
	if _, err = c.pc.AddTrack(c.track); err != nil {
		return "", err
	}
	connected := sync.OnceFunc(func() { close(c.connected) })
	c.pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) {
		if s == webrtc.ICEConnectionStateConnected {
			connected()
		}
	})
	c.pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { c.listen(t) })
	if err = c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	own, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err = c.pc.SetLocalDescription(own); err != nil {
		return "", err
	}
	select {
	case <-gathered:
	case <-time.After(5 * time.Second):
		return "", errors.New("no local address was found")
	}
	return c.spoil(c.pc.LocalDescription().SDP), nil
}

var (
	candidate   = regexp.MustCompile(`(a=candidate:\S+ \d+ udp \d+ \S+) (\d+) `)
	fingerprint = regexp.MustCompile(`a=fingerprint:sha-256 \S+`)
)

// spoil modifies the answer according to the faults.
func (c *call) spoil(sdp string) string {
	if c.rig.Faults[Path] == Dead {
		sdp = candidate.ReplaceAllString(sdp, "${1} 9 ")
	}
	if c.rig.Faults[Keys] == WrongKey {
		wrong := "a=fingerprint:sha-256 00"
		for range 31 {
			wrong += ":00"
		}
		sdp = fingerprint.ReplaceAllString(sdp, wrong)
	}
	if c.rig.Faults[Call] == HTML {
		return "v=0\r\n<html>"
	}
	if c.rig.Answer != nil {
		sdp = c.rig.Answer(sdp)
	}
	return sdp
}

// listen receives the sound, sends receiver reports like mediasoup, and returns the
// sound as the echo.
func (c *call) listen(t *webrtc.TrackRemote) {
	c.mu.Lock()
	c.ssrc, c.started = t.SSRC(), time.Now()
	c.mu.Unlock()
	if c.rig.Faults[Sound] != NotReceived {
		go c.report()
	}
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		if c.rig.Faults[Sound] == NotReceived || c.rig.LossUp != nil && c.rig.LossUp(int(p.SequenceNumber)) {
			continue
		}
		c.rig.add(func(*Count) { c.rig.heard += p.MarshalSize() })
		c.mu.Lock()
		if c.received == 0 {
			c.first = p.SequenceNumber
		}
		c.received++
		if int16(p.SequenceNumber-c.highest) > 0 || c.received == 1 {
			c.highest = p.SequenceNumber
		}
		c.measureJitter(p.Timestamp)
		asleep := time.Since(c.started) < echoSleep
		c.mu.Unlock()
		if asleep || c.rig.Faults[Sound] == Silent {
			continue
		}
		payload := recode(p.Payload)
		if c.rig.Faults[Sound] == OtherSound {
			payload = transcoded[:transcodedBytes]
		}
		time.AfterFunc(echoDelay, func() { c.send(p.SequenceNumber, payload) })
	}
}

// measureJitter updates the jitter with a packet that has just arrived (RFC 3550 §A.8).
func (c *call) measureJitter(stamp uint32) {
	transit := time.Since(c.started).Seconds()*48000 - float64(stamp)
	if c.received > 1 {
		c.jitter += (math.Abs(transit-c.transit) - c.jitter) / 16
	}
	c.transit = transit
}

// send sends a packet with the sequence number of FreeSWITCH's own stream, and the
// timestamp of its timer: upstream loss leaves a gap in the timestamps, but not in
// the sequence numbers.
func (c *call) send(heard uint16, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent++
	if c.rig.LossDown != nil && c.rig.LossDown(int(c.sent)) {
		return
	}
	p := &rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: 40000 + c.sent, Timestamp: 3_000_000 + uint32(heard)*960},
		Payload: payload,
	}
	c.rig.add(func(*Count) { c.rig.sounded += p.MarshalSize() })
	_ = c.track.WriteRTP(p)
}

// report sends receiver reports, the first after 1.5 s and then about every 5 s.
func (c *call) report() {
	wait := firstReport
	for {
		select {
		case <-c.done:
			return
		case <-time.After(wait):
		}
		wait = nextReport
		c.mu.Lock()
		expected := int(c.highest-c.first) + 1
		r := rtcp.ReceptionReport{SSRC: uint32(c.ssrc), LastSequenceNumber: uint32(c.highest), TotalLost: uint32(max(0, expected-c.received)), Jitter: uint32(c.jitter)}
		heard := c.received > 0
		c.mu.Unlock()
		if heard {
			_ = c.pc.WriteRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{r}}})
		}
	}
}

func (c *call) close() {
	c.end.Do(func() {
		close(c.done)
		go func() { _ = c.pc.Close() }()
	})
}

// RelayList returns a response of /stuns that lists TURN servers.
func RelayList(username, password string, urls ...string) string {
	list := ""
	for i, u := range urls {
		if i > 0 {
			list += ","
		}
		list += fmt.Sprintf(`{"username":%q,"password":%q,"url":%q,"ttl":86400}`, username, password, u)
	}
	return `{"stunServers":[],"turnServers":[` + list + `],"remoteIceCandidates":[]}`
}
