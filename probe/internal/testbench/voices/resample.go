package voices

import "math"

// The resampling kernel: a sinc with a Kaiser window, -80 dB above the lower Nyquist
// frequency.
const (
	kernelCrossings = 24  // zero crossings on each side
	kernelPhases    = 512 // table entries between two zero crossings
	kernelBeta      = 8
	kernelCutoff    = 0.9 // relative to the lower Nyquist frequency
)

// resample converts samples between any two rates.
func resample(samples []float64, fromHz, toHz float64) []float64 {
	if fromHz == toHz {
		return append([]float64(nil), samples...)
	}
	kernel := sincKernel()
	cutoff := kernelCutoff * min(1, toHz/fromHz) // kernel periods per input sample
	reach := kernelCrossings / cutoff
	out := make([]float64, int(float64(len(samples))*toHz/fromHz))
	for i := range out {
		at := float64(i) * fromHz / toHz
		sum := 0.0
		for k := max(0, int(math.Ceil(at-reach))); k <= min(len(samples)-1, int(at+reach)); k++ {
			position := math.Abs(at-float64(k)) * cutoff * kernelPhases
			j := int(position)
			fraction := position - float64(j)
			sum += samples[k] * (kernel[j] + fraction*(kernel[j+1]-kernel[j]))
		}
		out[i] = sum * cutoff
	}
	return out
}

// sincKernel returns one half of the kernel.
func sincKernel() []float64 {
	kernel := make([]float64, kernelCrossings*kernelPhases+2)
	for j := range kernel {
		x := float64(j) / kernelPhases
		share := min(1, x/kernelCrossings)
		kernel[j] = besselI0(kernelBeta*math.Sqrt(1-share*share)) / besselI0(kernelBeta)
		if j > 0 {
			kernel[j] *= math.Sin(math.Pi*x) / (math.Pi * x)
		}
	}
	return kernel
}

// besselI0 returns the modified Bessel function of the first kind, order 0, by its series.
func besselI0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}
