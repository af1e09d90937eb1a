package signal

import (
	"math"
	"math/rand/v2"

	"github.com/tonprobe/tonprobe/probe/audio/signal/signaltest"
)

func syllables(rateHz int, seconds, pitchHz, level float64) []float32 {
	return signaltest.Voice(rateHz, seconds, pitchHz, level)
}

func addNoise(samples []float32, dBFS float64) []float32 {
	random := rand.New(rand.NewPCG(11, 3))
	out := make([]float32, len(samples))
	rms := math.Pow(10, dBFS/20)
	for i, s := range samples {
		out[i] = s + float32(rms*random.NormFloat64())
	}
	return out
}

func addTone(samples []float32, rateHz int, hz, dBFS float64) []float32 {
	out := make([]float32, len(samples))
	peak := math.Pow(10, dBFS/20) * math.Sqrt2
	for i, s := range samples {
		out[i] = s + float32(peak*math.Sin(2*math.Pi*hz*float64(i)/float64(rateHz)))
	}
	return out
}

func analyse(f Format, samples []float32) Analysis {
	a, err := NewAnalyzer(f)
	if err != nil {
		panic(err)
	}
	a.Write(samples)
	return a.Analysis()
}
