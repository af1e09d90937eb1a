package capture

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A frame on the child's standard output consists of the byte 'T', the kind, the
// length of the payload (uint32, little endian) and the payload. The constant first
// byte detects other output on the same stream at once.
const (
	frameMark   = 'T'
	frameHeader = 6

	maxJSONPayload = 256 << 10
	maxPCMPayload  = 2 << 20 // 0.3 s of 32 channels
	pcmHeader      = 12      // uint64 time in ns, uint32 frames lost before this one
)

type kind byte

const (
	kindHello   kind = 'H'
	kindDevices kind = 'D'
	kindState   kind = 'O'
	kindStarted kind = 'S'
	kindPCM     kind = 'P'
	kindPlaying kind = 'Y'
	kindPlayed  kind = 'Z'
	kindStop    kind = 'X'
	kindFailure kind = 'E'
)

// ErrGarbage means that the child's output is not a valid sequence of frames.
var ErrGarbage = errors.New("the capture process wrote something that is not a frame")

// payloadLimit returns the maximum payload of a kind, and whether the kind exists.
func payloadLimit(k kind) (int, bool) {
	switch k {
	case kindPCM:
		return maxPCMPayload, true
	case kindHello, kindDevices, kindState, kindStarted, kindPlaying, kindPlayed, kindStop, kindFailure:
		return maxJSONPayload, true
	}
	return 0, false
}

// newFrame returns a frame with an empty payload of the given size.
func newFrame(k kind, payload int) []byte {
	b := make([]byte, frameHeader+payload)
	b[0], b[1] = frameMark, byte(k)
	binary.LittleEndian.PutUint32(b[2:], uint32(payload))
	return b
}

func jsonFrame(k kind, v any) ([]byte, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode capture frame %q: %w", k, err)
	}
	if len(payload) > maxJSONPayload {
		return nil, fmt.Errorf("encode capture frame %q: %d bytes are too many", k, len(payload))
	}
	b := newFrame(k, len(payload))
	copy(b[frameHeader:], payload)
	return b, nil
}

// pcmFrame copies samples in the format of the device: 32-bit floats in native byte
// order, which is little endian on every supported system.
func pcmFrame(atNS int64, lostFrames uint32, samples []byte) []byte {
	b := newFrame(kindPCM, pcmHeader+len(samples))
	binary.LittleEndian.PutUint64(b[frameHeader:], uint64(atNS))
	binary.LittleEndian.PutUint32(b[frameHeader+8:], lostFrames)
	copy(b[frameHeader+pcmHeader:], samples)
	return b
}

// readFrame reads one frame, into space if it is large enough. io.EOF means that the
// stream ended between two frames.
func readFrame(r io.Reader, space []byte) (kind, []byte, error) {
	var head [frameHeader]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, nil, fmt.Errorf("%w: truncated frame header", ErrGarbage)
		}
		return 0, nil, err
	}
	k, size := kind(head[1]), binary.LittleEndian.Uint32(head[2:])
	limit, known := payloadLimit(k)
	switch {
	case head[0] != frameMark || !known:
		return 0, nil, ErrGarbage
	case uint64(size) > uint64(limit):
		return 0, nil, fmt.Errorf("%w: a payload of %d bytes", ErrGarbage, size)
	}
	payload := slices.Grow(space[:0], int(size))[:size]
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, fmt.Errorf("%w: truncated frame", ErrGarbage)
	}
	return k, payload, nil
}
