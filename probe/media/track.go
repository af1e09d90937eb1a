package media

import (
	"errors"
	"sync/atomic"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

var errNotBound = errors.New("no media path yet")

// sendTrack passes RTP packets directly to the connection. The library's own tracks
// copy each packet for several connections, which takes time between timestamp and
// socket.
type sendTrack struct {
	bound  atomic.Pointer[boundTrack]
	header rtp.Header
}

type boundTrack struct {
	to          webrtc.TrackLocalWriter
	ssrc        uint32
	payloadType uint8
}

// write sends payload as packet seq and returns the stream's SSRC. It must not be
// called concurrently.
func (t *sendTrack) write(seq uint32, payload []byte) (ssrc uint32, err error) {
	b := t.bound.Load()
	if b == nil {
		return 0, errNotBound
	}
	t.header = rtp.Header{
		Version: 2, PayloadType: b.payloadType, SSRC: b.ssrc,
		SequenceNumber: uint16(seq), Timestamp: seq * uint32(wire.StampStep),
	}
	_, err = b.to.WriteRTP(&t.header, payload)
	return b.ssrc, err
}

// Bind implements webrtc.TrackLocal.
func (t *sendTrack) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codecs := c.CodecParameters()
	if len(codecs) == 0 {
		return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
	}
	t.bound.Store(&boundTrack{to: c.WriteStream(), ssrc: uint32(c.SSRC()), payloadType: uint8(codecs[0].PayloadType)})
	return codecs[0], nil
}

// Unbind implements webrtc.TrackLocal.
func (t *sendTrack) Unbind(webrtc.TrackLocalContext) error {
	t.bound.Store(nil)
	return nil
}

// Remaining methods of webrtc.TrackLocal.
func (*sendTrack) ID() string                { return "voice" }
func (*sendTrack) RID() string               { return "" }
func (*sendTrack) StreamID() string          { return "voice" }
func (*sendTrack) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeAudio }
