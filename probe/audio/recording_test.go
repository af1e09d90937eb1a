package audio

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

func TestRecordingKeepsTheEnd(t *testing.T) {
	var r Recording
	if _, channels := r.samples(); channels != 0 || r.Duration() != 0 {
		t.Error("a new recording is not empty")
	}
	r.begin(2)
	block := make([]float32, 2*capture.RateHz)
	for second := range 8 {
		for i := range block {
			block[i] = float32(second + 1)
		}
		r.write(block)
	}
	sound, channels := r.samples()
	if channels != 2 || r.Duration() != KeptFor || len(sound) != 2*5*capture.RateHz || sound[0] != 4 || sound[len(sound)-1] != 8 {
		t.Errorf("%d channels, %v, %d samples from %v to %v; want 2, %v, from 4 to 8", channels, r.Duration(), len(sound), sound[0], sound[len(sound)-1], KeptFor)
	}
	if !slices.IsSorted(sound) {
		t.Error("samples are out of order")
	}
}

func TestEraseLeavesZeros(t *testing.T) {
	var r Recording
	r.begin(1)
	r.write(slices.Repeat([]float32{0.5}, capture.RateHz))
	memory := r.ring
	if r.Duration() != time.Second || memory[100] != 0.5 {
		t.Fatalf("got a duration of %v and sample 100 = %v, want 1 s and 0.5", r.Duration(), memory[100])
	}
	r.Erase()
	if slices.ContainsFunc(memory, func(x float32) bool { return x != 0 }) {
		t.Error("sound is still in memory")
	}
	if r.Duration() != 0 {
		t.Errorf("%v are left, want none", r.Duration())
	}
	if err := r.Play(t.Context(), nil); !errors.Is(err, ErrNothingKept) {
		t.Errorf("got error %v, want %v", err, ErrNothingKept)
	}
	r.begin(1)
	if r.write([]float32{1}); r.Duration() == 0 {
		t.Error("not usable after Erase")
	}
	(*Recording)(nil).Erase() // no recording was requested
}
