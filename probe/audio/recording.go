package audio

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

// KeptFor is how much of the end of a capture a Recording holds.
const KeptFor = 5 * time.Second

// ErrNothingKept means that there is no sound to play back.
var ErrNothingKept = errors.New("nothing was recorded that could be played back")

// Recording holds the last KeptFor of a capture for the participant's own
// ears, in memory only: it is never written anywhere and goes into no report.
// The zero value is empty and ready. It is safe for concurrent use.
type Recording struct {
	mu       sync.Mutex
	ring     []float32 // interleaved, of whole frames
	next     int       // where the next sample goes, once the ring is full the oldest
	full     bool
	channels int // of what is kept, mono or stereo
	from     int // channels of the stream
}

// Play plays the recording once through the default loudspeaker, in a process
// of its own (nil stands for this program with ChildArg). It returns when the
// sound is over or ctx is done, with ErrNothingKept, ctx's error or a
// *DeviceError saying why there was nothing to hear.
func (r *Recording) Play(ctx context.Context, child Child) error {
	sound, channels := r.samples()
	defer clear(sound)
	if len(sound) == 0 {
		return ErrNothingKept
	}
	return play(ctx, child, sound, channels)
}

// Duration is how much sound there is.
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

// Erase overwrites the sound with zeros and forgets it. The next capture that
// keeps its sound here does so by itself.
func (r *Recording) Erase() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.ring)
	r.ring, r.next, r.full, r.channels, r.from = r.ring[:0], 0, false, 0, 0
}

// begin makes room for a stream, in place of what there was.
//
// Of more than two channels their mean is kept, which is what others get to hear.
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

// write keeps the newest samples, whole frames of the stream begun.
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

// samples is a copy in the order of time, which the caller must clear.
func (r *Recording) samples() (sound []float32, channels int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sound = make([]float32, 0, len(r.ring))
	if r.full {
		sound = append(sound, r.ring[r.next:]...)
	}
	return append(sound, r.ring[:r.next]...), r.channels
}
