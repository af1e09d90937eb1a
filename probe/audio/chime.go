package audio

import (
	"math"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

const (
	chimeFor = 1200 * time.Millisecond
	// chimeDBFS is the level of its steady part: heard in a quiet room, not
	// startling in headphones.
	chimeDBFS = -20
	chimeFade = 120 * time.Millisecond
)

// chime is a chord of three voices that glide upwards by an octave, with
// soft ends. A glide sounds friendlier than noise or a click, and since it
// never passes the same frequency twice its autocorrelation has one narrow
// peak: the three voices start a fifth and an octave apart, but at no shift do
// more than two of them meet, so that no second lag can be taken for the first.
func chime() []float32 {
	const n = int(chimeFor * capture.RateHz / time.Second)
	sound := make([]float32, n)
	duration := chimeFor.Seconds()
	for _, voice := range []struct{ fromHz, amplitude float64 }{{440, 1}, {660, 0.6}, {880, 0.4}} {
		for i := range sound {
			t := float64(i) / capture.RateHz
			// Phase of an exponential glide f(t) = from·2^(t/duration).
			phase := 2 * math.Pi * voice.fromHz * duration / math.Ln2 * (math.Exp2(t/duration) - 1)
			sound[i] += float32(voice.amplitude * math.Sin(phase))
		}
	}
	power := (1 + 0.36 + 0.16) / 2
	gain := math.Pow(10, chimeDBFS/20.0) / math.Sqrt(power)
	for i := range sound {
		sound[i] *= float32(gain * fade(i, n))
	}
	return sound
}

// fade is a raised cosine at both ends.
func fade(i, n int) float64 {
	edge := min(i, n-1-i)
	const length = int(chimeFade * capture.RateHz / time.Second)
	if edge >= length {
		return 1
	}
	return (1 - math.Cos(math.Pi*float64(edge)/float64(length))) / 2
}
