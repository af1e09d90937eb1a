package reflector

import (
	"errors"
	"sync/atomic"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

var errNotBound = errors.New("no media path yet")

// upTrack writes RTP packets with numbers of the test's choice.
type upTrack struct {
	bound  atomic.Pointer[boundTrack]
	header rtp.Header
}

type boundTrack struct {
	to          webrtc.TrackLocalWriter
	ssrc        uint32
	payloadType uint8
}

// write sends payload as packet seq. It must not be called concurrently.
func (t *upTrack) write(seq uint32, payload []byte) error {
	b := t.bound.Load()
	if b == nil {
		return errNotBound
	}
	t.header = rtp.Header{
		Version: 2, PayloadType: b.payloadType, SSRC: b.ssrc,
		SequenceNumber: uint16(seq), Timestamp: seq * uint32(wire.StampStep),
	}
	_, err := b.to.WriteRTP(&t.header, payload)
	return err
}

// Bind implements webrtc.TrackLocal.
func (t *upTrack) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codecs := c.CodecParameters()
	if len(codecs) == 0 {
		return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
	}
	t.bound.Store(&boundTrack{to: c.WriteStream(), ssrc: uint32(c.SSRC()), payloadType: uint8(codecs[0].PayloadType)})
	return codecs[0], nil
}

// Unbind implements webrtc.TrackLocal.
func (t *upTrack) Unbind(webrtc.TrackLocalContext) error {
	t.bound.Store(nil)
	return nil
}

// The rest of webrtc.TrackLocal.
func (*upTrack) ID() string                { return "voice" }
func (*upTrack) RID() string               { return "" }
func (*upTrack) StreamID() string          { return "voice" }
func (*upTrack) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeAudio }

func echoCodec() webrtc.RTPCodecParameters {
	return webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: wire.MimeTypeOpus, ClockRate: wire.ClockRateHz, Channels: wire.Channels,
		},
		PayloadType: wire.PayloadType,
	}
}
