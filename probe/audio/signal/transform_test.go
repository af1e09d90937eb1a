package signal

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/dsp/fourier"
)

// TestTransformAgreesWithGonum: each length in use, and each factor alone, yields the same
// result as gonum.
func TestTransformAgreesWithGonum(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, length := range []int{2, 4, 6, 8, 10, 18, 50, 90, 256, 288, 320, 324, 360, 400, 512, 1024, 2048, 4096} {
		samples, power := make([]float64, length), make([]float64, length/2+1)
		for i := range samples {
			samples[i] = random.NormFloat64()
		}
		own, reference := newTransform(length), fourier.NewFFT(length)
		got, want := make([]complex128, length/2+1), reference.Coefficients(nil, samples)
		own.forward(got, samples)
		even := make([]complex128, length/2+1)
		for k := range want {
			if cmplx.Abs(got[k]-want[k]) > 1e-12*float64(length) {
				t.Fatalf("length %d: coefficient %d is %v, want %v", length, k, got[k], want[k])
			}
			power[k] = random.Float64()
			even[k] = complex(power[k], 0)
		}
		sequence := reference.Sequence(nil, even)
		for _, count := range []int{length/2 + 1, length / 2, 1} {
			half := make([]float64, min(count, length/2*2))
			own.evenSequence(half[:min(len(half), length/2*2)], power)
			for i, x := range half {
				if math.Abs(x-sequence[i]) > 1e-12*float64(length) {
					t.Fatalf("length %d: sample %d is %v, want %v", length, i, x, sequence[i])
				}
			}
		}
	}
}

func BenchmarkTransform(b *testing.B) {
	for _, length := range []int{320, 360, 1024} {
		samples, spectrum := make([]float64, length), make([]complex128, length/2+1)
		samples[7] = 1
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			own := newTransform(length)
			for b.Loop() {
				own.forward(spectrum, samples)
			}
		})
		b.Run(fmt.Sprint(length, " gonum"), func(b *testing.B) {
			reference := fourier.NewFFT(length)
			for b.Loop() {
				reference.Coefficients(spectrum, samples)
			}
		})
	}
}
