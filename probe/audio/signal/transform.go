package signal

import "math"

// transform is the discrete Fourier transform of real samples, for an even length whose only factors are 2, 3 and 5.
// It replaces gonum's, which takes three times as long (a port of FFTPACK that accesses each sample through a method)
// and dominated the cost of the analysis. A test compares the two.
//
// The samples are combined in pairs to complex numbers, transformed at half the length by Stockham's self-sorting
// method (Van Loan, Computational Frameworks for the FFT, §1.7), and the two halves are separated by symmetry.
type transform struct {
	stages []stage
	turns  []complex128 // e^(-2πik/length), k = 0..length/2
	a, b   []complex128
}

// stage is one factor of half the length.
type stage struct {
	radix, parts int          // parts: number of transforms of length radix, times stride
	stride       int          // product of the preceding factors
	turns        []complex128 // for each part, the radix-1 twiddle factors of its outputs
}

func newTransform(length int) *transform {
	half := length / 2
	t := &transform{a: make([]complex128, half), b: make([]complex128, half)}
	for k := range half + 1 {
		t.turns = append(t.turns, turn(k, length))
	}
	rest, stride := half, 1
	for _, radix := range []int{4, 5, 3, 2} {
		for rest%radix == 0 {
			s := stage{radix: radix, parts: rest / radix, stride: stride}
			for p := range s.parts {
				for k := 1; k < radix; k++ {
					s.turns = append(s.turns, turn(p*k, rest))
				}
			}
			t.stages = append(t.stages, s)
			rest /= radix
			stride *= radix
		}
	}
	if rest != 1 {
		panic("signal: transform of a length with other factors than 2, 3 and 5")
	}
	return t
}

// turn returns e^(-2πik/n).
func turn(k, n int) complex128 {
	sin, cos := math.Sincos(-2 * math.Pi * float64(k) / float64(n))
	return complex(cos, sin)
}

// forward writes the coefficients 0..length/2 of samples to spectrum.
func (t *transform) forward(spectrum []complex128, samples []float64) {
	half := len(t.a)
	for i := range t.a {
		t.a[i] = complex(samples[2*i], samples[2*i+1])
	}
	z := t.run()
	spectrum[0] = complex(real(z[0])+imag(z[0]), 0)
	spectrum[half] = complex(real(z[0])-imag(z[0]), 0)
	for k := 1; k < half; k++ {
		mirrored := conj(z[half-k])
		even, odd := z[k]+mirrored, z[k]-mirrored
		odd *= t.turns[k]
		spectrum[k] = complex(0.5*(real(even)+imag(odd)), 0.5*(imag(even)-real(odd)))
	}
}

// evenSequence writes the first half of the sequence with the real coefficients 0..length/2 to samples. The sequence
// is even, its other half mirrors this one. The result is length times the inverse of forward.
func (t *transform) evenSequence(samples, coefficients []float64) {
	half := len(t.a)
	for k := range half {
		even, odd := coefficients[k]+coefficients[half-k], coefficients[k]-coefficients[half-k]
		// The inverse transform is the conjugated transform of the conjugate.
		w := t.turns[k]
		t.a[k] = complex(even+odd*imag(w), -odd*real(w))
	}
	z := t.run()
	for i := 0; i < len(samples); i += 2 {
		samples[i] = real(z[i/2])
		if i+1 < len(samples) {
			samples[i+1] = -imag(z[i/2])
		}
	}
}

func conj(z complex128) complex128 { return complex(real(z), -imag(z)) }

// run transforms t.a and returns the buffer that holds the result.
func (t *transform) run() []complex128 {
	x, y := t.a, t.b
	for i := range t.stages {
		switch s := &t.stages[i]; s.radix {
		case 2:
			s.two(y, x)
		case 3:
			s.three(y, x)
		case 4:
			s.four(y, x)
		default:
			s.five(y, x)
		}
		x, y = y, x
	}
	return x
}

// in returns input k of part p.
func (s *stage) in(x []complex128, p, k int) []complex128 {
	return x[s.stride*(p+s.parts*k):][:s.stride]
}

func (s *stage) out(y []complex128, p, k int) []complex128 {
	return y[s.stride*(s.radix*p+k):][:s.stride]
}

func (s *stage) two(y, x []complex128) {
	for p := range s.parts {
		w := s.turns[p]
		x0, x1 := s.in(x, p, 0), s.in(x, p, 1)
		y0, y1 := s.out(y, p, 0), s.out(y, p, 1)
		for q, a := range x0 {
			b := x1[q]
			y0[q], y1[q] = a+b, (a-b)*w
		}
	}
}

func (s *stage) three(y, x []complex128) {
	sin := math.Sqrt(3) / 2
	for p := range s.parts {
		w1, w2 := s.turns[2*p], s.turns[2*p+1]
		x0, x1, x2 := s.in(x, p, 0), s.in(x, p, 1), s.in(x, p, 2)
		y0, y1, y2 := s.out(y, p, 0), s.out(y, p, 1), s.out(y, p, 2)
		for q, a := range x0 {
			sum, difference := x1[q]+x2[q], x1[q]-x2[q]
			middle := complex(real(a)-0.5*real(sum), imag(a)-0.5*imag(sum))
			across := complex(sin*imag(difference), -sin*real(difference))
			y0[q], y1[q], y2[q] = a+sum, (middle+across)*w1, (middle-across)*w2
		}
	}
}

func (s *stage) four(y, x []complex128) {
	if s.stride == 1 {
		s.fourSingle(y, x)
		return
	}
	for p := range s.parts {
		w := (*[3]complex128)(s.turns[3*p:])
		w1, w2, w3 := w[0], w[1], w[2]
		x0, x1, x2, x3 := s.in(x, p, 0), s.in(x, p, 1), s.in(x, p, 2), s.in(x, p, 3)
		y0, y1, y2, y3 := s.out(y, p, 0), s.out(y, p, 1), s.out(y, p, 2), s.out(y, p, 3)
		for q := range min(len(x0), len(x1), len(x2), len(x3), len(y0), len(y1), len(y2), len(y3)) {
			ac, bd := x0[q]+x2[q], x1[q]+x3[q]
			minus, cross := x0[q]-x2[q], x1[q]-x3[q]
			across := complex(imag(cross), -real(cross))
			y0[q] = ac + bd
			y1[q] = (minus + across) * w1
			y2[q] = (ac - bd) * w2
			y3[q] = (minus - across) * w3
		}
	}
}

// fourSingle is four for parts of a single sample. It avoids the overhead of slices.
func (s *stage) fourSingle(y, x []complex128) {
	n := s.parts
	x0, x1, x2, x3 := x[:n], x[n:2*n], x[2*n:3*n], x[3*n:4*n]
	for p := range min(len(x0), len(x1), len(x2), len(x3)) {
		w, out := (*[3]complex128)(s.turns[3*p:]), (*[4]complex128)(y[4*p:])
		ac, bd := x0[p]+x2[p], x1[p]+x3[p]
		minus, cross := x0[p]-x2[p], x1[p]-x3[p]
		across := complex(imag(cross), -real(cross))
		out[0] = ac + bd
		out[1] = (minus + across) * w[0]
		out[2] = (ac - bd) * w[1]
		out[3] = (minus - across) * w[2]
	}
}

func (s *stage) five(y, x []complex128) {
	sin1, cos1 := math.Sincos(2 * math.Pi / 5)
	sin2, cos2 := math.Sincos(4 * math.Pi / 5)
	for p := range s.parts {
		w := s.turns[4*p:][:4]
		x0, x1, x2, x3, x4 := s.in(x, p, 0), s.in(x, p, 1), s.in(x, p, 2), s.in(x, p, 3), s.in(x, p, 4)
		y0, y1, y2, y3, y4 := s.out(y, p, 0), s.out(y, p, 1), s.out(y, p, 2), s.out(y, p, 3), s.out(y, p, 4)
		for q, a := range x0 {
			sum1, sum2 := x1[q]+x4[q], x2[q]+x3[q]
			difference1, difference2 := x1[q]-x4[q], x2[q]-x3[q]
			middle1 := complex(real(a)+cos1*real(sum1)+cos2*real(sum2), imag(a)+cos1*imag(sum1)+cos2*imag(sum2))
			middle2 := complex(real(a)+cos2*real(sum1)+cos1*real(sum2), imag(a)+cos2*imag(sum1)+cos1*imag(sum2))
			across1 := complex(sin1*imag(difference1)+sin2*imag(difference2), -sin1*real(difference1)-sin2*real(difference2))
			across2 := complex(sin2*imag(difference1)-sin1*imag(difference2), -sin2*real(difference1)+sin1*real(difference2))
			y0[q] = a + sum1 + sum2
			y1[q], y4[q] = (middle1+across1)*w[0], (middle1-across1)*w[3]
			y2[q], y3[q] = (middle2+across2)*w[1], (middle2-across2)*w[2]
		}
	}
}
