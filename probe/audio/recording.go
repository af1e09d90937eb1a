package audio

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

// KeptFor is the length of the end of a capture that a Recording holds.
const KeptFor = 5 * time.Second

// ErrNothingKept means that there is no sound to play back.
var ErrNothingKept = errors.New("nothing was recorded that could be played back")

// Recording holds the last KeptFor of a capture in memory, for playback to the
// participant. It is never written to disk and is not part of a report. The zero
// value is empty and ready to use. It is safe for concurrent use.
type Recording struct {
	mu       sync.Mutex
	ring     []float32 // interleaved, of whole frames
	next     int       // position of the next sample, which is the oldest once the ring is full
	full     bool
	channels int // of the kept sound: mono or stereo
	from     int // channels of the stream
}

// Play plays the recording once through the default loudspeaker, in a child
// process (nil means this program with ChildArg). It returns at the end of playback
// or when ctx is done, with ErrNothingKept, the error of ctx, or a *DeviceError
// that states why playback failed.
func (r *Recording) Play(ctx context.Context, child Child) error {
	sound, channels := r.samples()
	defer clear(sound)
	if len(sound) == 0 {
		return ErrNothingKept
	}
	return play(ctx, child, sound, channels)
}

// Duration returns the length of the kept sound.
func (r *Recording) Duration() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.channels == 0 {
		return 0
	}
	n := r.next
	if r.full {
		n = len(r.ring)
	}
	return time.Duration(n/r.channels) * time.Second / capture.RateHz
}

// Erase overwrites the sound with zeros and discards it. A new capture erases the
// previous one.
func (r *Recording) Erase() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.ring)
	r.ring, r.next, r.full, r.channels, r.from = r.ring[:0], 0, false, 0, 0
}

// begin allocates the buffer for a stream and erases the previous sound.
//
// A stream of more than two channels is kept as the mean of its channels, which is
// what a browser sends.
func (r *Recording) begin(channels int) {
	if r == nil {
		return
	}
	r.Erase()
	from := channels
	if channels > 2 {
		channels = 1
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	size := int(KeptFor/time.Second) * capture.RateHz * channels
	if cap(r.ring) < size {
		r.ring = make([]float32, size)
	}
	r.ring, r.channels, r.from = r.ring[:size], channels, from
}

// write appends whole frames and keeps the newest ones.
func (r *Recording) write(samples []float32) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.from > 2 {
		samples = meanOf(samples, r.from)
		defer clear(samples)
	}
	for len(samples) > 0 && r.channels > 0 {
		n := copy(r.ring[r.next:], samples)
		samples = samples[n:]
		if r.next += n; r.next == len(r.ring) {
			r.next, r.full = 0, true
		}
	}
}

// meanOf mixes interleaved channels to one.
func meanOf(samples []float32, channels int) []float32 {
	mixed := make([]float32, len(samples)/channels)
	for i := range mixed {
		for _, x := range samples[i*channels : (i+1)*channels] {
			mixed[i] += x / float32(channels)
		}
	}
	return mixed
}

// samples returns a copy in chronological order. The caller must clear it.
func (r *Recording) samples() (sound []float32, channels int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sound = make([]float32, 0, len(r.ring))
	if r.full {
		sound = append(sound, r.ring[r.next:]...)
	}
	return append(sound, r.ring[:r.next]...), r.channels
}
