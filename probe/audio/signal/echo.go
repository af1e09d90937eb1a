package signal

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// MinEchoConfidence is the normalised correlation from which a lag is accepted, as in Google's oboe latency test.
const MinEchoConfidence = 0.2

// EchoResult describes a reference signal found in a recording.
type EchoResult struct {
	LagMS      float64 // from the start of the reference to the start of its echo
	ReturnDB   float64 // level of the coherent echo relative to the reference; at least -120
	Confidence float64 // magnitude of the normalised correlation at that lag, 0..1; see MinEchoConfidence
}

// Heard reports whether the reference was found.
func (e EchoResult) Heard() bool { return e.Confidence >= MinEchoConfidence }

// Echo searches recorded for reference: both mono, at the same rate, with the same start time. It considers every lag
// at which at least half of the reference lies within the recording. If either has no signal, only ReturnDB is
// non-zero.
func Echo(reference, recorded []float32, rate int) EchoResult {
	none := EchoResult{ReturnDB: FloorDBFS}
	if rate <= 0 || len(reference) == 0 || len(recorded) == 0 {
		return none
	}
	played, heard := withoutMean(reference), withoutMean(recorded)
	playedEnergy, heardEnergy := runningEnergy(played), runningEnergy(heard)
	if playedEnergy[len(played)] < 1e-12 || heardEnergy[len(heard)] < 1e-12 {
		return none
	}
	correlation := crossCorrelation(played, heard)
	best, lag, gain := 0.0, 0, 0.0
	for l := 0; l+len(played)/2 < len(heard); l++ {
		overlap := min(len(played), len(heard)-l)
		p, h := playedEnergy[overlap], heardEnergy[l+overlap]-heardEnergy[l]
		// A segment without energy would correlate with anything, by rounding errors.
		if p < 1e-3*playedEnergy[len(played)] || h < 1e-9*heardEnergy[len(heard)] {
			continue
		}
		if c := math.Abs(correlation[l]) / math.Sqrt(p*h); c > best {
			best, lag, gain = c, l, math.Abs(correlation[l])/p
		}
	}
	if best == 0 {
		return none
	}
	return EchoResult{
		LagMS:      float64(lag) * 1000 / float64(rate),
		ReturnDB:   amplitudeDB(gain),
		Confidence: min(best, 1),
	}
}

// withoutMean returns a copy of samples less their mean. Values that are not finite count as 0.
func withoutMean(samples []float32) []float64 {
	out := make([]float64, len(samples))
	sum := 0.0
	for i, s := range samples {
		if x := float64(s); !math.IsNaN(x) && !math.IsInf(x, 0) {
			out[i] = x
			sum += x
		}
	}
	mean := sum / float64(len(out))
	for i := range out {
		out[i] -= mean
	}
	return out
}

// runningEnergy[n] is the energy of the first n samples.
func runningEnergy(samples []float64) []float64 {
	energy := make([]float64, len(samples)+1)
	for i, x := range samples {
		energy[i+1] = energy[i] + x*x
	}
	return energy
}

// crossCorrelation returns Σ a[n]·b[n+lag] for the lags 0..len(b)-1.
func crossCorrelation(a, b []float64) []float64 {
	length := transformLength(float64(len(a)+len(b)) * 1.05)
	for length < len(a)+len(b) {
		length *= 2
	}
	transformer := fourier.NewFFT(length)
	padded := make([]float64, length)
	copy(padded, a)
	spectrumA := transformer.Coefficients(nil, padded)
	clear(padded)
	copy(padded, b)
	spectrumB := transformer.Coefficients(nil, padded)
	for k, s := range spectrumA {
		spectrumB[k] *= complex(real(s), -imag(s))
	}
	transformer.Sequence(padded, spectrumB)
	for i := range b {
		padded[i] /= float64(length)
	}
	return padded[:len(b)]
}
