package signal

import "math"

const (
	frameWindowS     = 0.040 // two hops: frames overlap by half
	speechBandLowHz  = 200   // above the mains frequency and its first harmonics
	speechBandHighHz = 3400
	pitchBandHighHz  = 2000
	pitchLowestHz    = 62
	pitchHighestHz   = 400

	bandWidthHz = 125
	maxBands    = 192 // up to 24 kHz: a voice has nothing above
)

// frame describes about 20 ms of one channel.
type frame struct {
	bandDBFS    float64 // level in the speech band
	periodicity float64 // similarity of the waveform one pitch period later: 0..1
	pitchHz     float64
	pulsing     float64 // similarity of the envelope one pulse of a deep voice later: 0..1
	pulseHz     float64
	tonality    float64 // share of the strongest spectral line in the power of the speech band
	power       float64 // mean square of the whole band, DC removed
	voicePower  float64 // mean square of the voice band
	voiceDBFS   float64
	zeros       bool // at least a quarter of it was exactly zero
	hasBands    bool
	bands       [maxBands]float32 // mean square in bands of bandWidthHz, of every second frame
}

// framer divides one channel into frames and transforms them.
type framer struct {
	hop     int // samples
	filled  int
	squares float64
	voiced  float64 // squares of the voice band
	zeros   int

	voice  voiceSpectrum
	pulses pulseTrain
	wide   wideSpectrum
	odd    bool
	frame  frame
}

func newFramer(rateHz int) framer {
	f := framer{voice: newVoiceSpectrum(rateHz)}
	f.hop = f.voice.hop * f.voice.decimator.factor
	f.wide = newWideSpectrum(rateHz, 2*f.hop)
	f.pulses = newPulseTrain(f.voice.rateHz)
	return f
}

// write copies as much of the block as fits into the current frame, and reports whether that completed it.
func (f *framer) write(raw, ac, voice []float64) (taken int, complete bool) {
	taken = min(f.hop-f.filled, len(raw))
	f.squares += energy(ac[:taken])
	f.voiced += energy(voice[:taken])
	zeros := 0
	for _, x := range raw[:taken] {
		if x == 0 {
			zeros++
		}
	}
	f.zeros += zeros
	f.voice.gather(ac[:taken])
	f.wide.gather(ac[:taken])
	if f.filled += taken; f.filled < f.hop {
		return taken, false
	}
	f.complete()
	return taken, true
}

func (f *framer) complete() {
	f.frame.power = f.squares / float64(f.hop)
	f.frame.voicePower = f.voiced / float64(f.hop)
	f.frame.voiceDBFS = powerDB(f.frame.voicePower)
	f.frame.zeros = 4*f.zeros >= f.hop
	f.voice.transform(&f.frame)
	f.pulses.write(f.voice.newest())
	f.frame.pulsing, f.frame.pulseHz = 0, 0
	if f.frame.bandDBFS >= minVoiceDBFS {
		f.frame.pulsing, f.frame.pulseHz = f.pulses.find()
	}
	f.frame.hasBands = f.odd
	if f.odd {
		f.wide.transform(&f.frame.bands)
	}
	f.odd = !f.odd
	f.filled, f.squares, f.voiced, f.zeros = 0, 0, 0, 0
}

// voiceSpectrum determines level and pitch in the speech band, at narrowRateHz.
type voiceSpectrum struct {
	decimator boxDecimator
	hop       int // decimated samples
	samples   []float64
	rateHz    float64

	transformer       *transform
	window, work      []float64
	spectrum          []complex128
	power             []float64 // with emphasis
	emphasis          []float64 // per bin: the weight of its power in the pitch detection
	likeness          []float64 // per lag: reciprocal of the window's autocorrelation
	lowBin, highBin   int
	shortest, longest int // pitch period in samples
}

func newVoiceSpectrum(rateHz int) voiceSpectrum {
	v := voiceSpectrum{decimator: newBoxDecimator(rateHz)}
	v.rateHz = float64(rateHz) / float64(v.decimator.factor)
	length := transformLength(frameWindowS * v.rateHz)
	v.hop = length / 2
	v.samples = make([]float64, length/2, 2*length)
	v.transformer = newTransform(length)
	v.window = hann(length)
	v.work = make([]float64, length)
	v.spectrum, v.power = make([]complex128, length/2+1), make([]float64, length/2+1)
	binHz := v.rateHz / float64(length)
	v.lowBin, v.highBin = int(math.Ceil(speechBandLowHz/binHz)), int(speechBandHighHz/binHz)
	v.emphasis = make([]float64, length/2+1)
	for k := v.lowBin; float64(k)*binHz <= pitchBandHighHz; k++ {
		// The weight rises with frequency, as the speech spectrum falls, so that rumble is not detected as a pitch.
		v.emphasis[k] = float64(k) * float64(k)
	}
	v.shortest, v.longest = int(v.rateHz/pitchHighestHz), int(v.rateHz/pitchLowestHz)
	v.likeness = make([]float64, v.longest+2)
	for lag := range v.likeness {
		sum := 0.0
		for i := range v.window {
			sum += v.window[i] * v.window[(i+lag)%length]
		}
		v.likeness[lag] = 1 / sum
	}
	return v
}

func (v *voiceSpectrum) gather(ac []float64) { v.samples = v.decimator.write(v.samples, ac) }

// newest returns the decimated samples of the frame last transformed.
func (v *voiceSpectrum) newest() []float64 { return v.samples[len(v.samples)-v.hop:] }

// transform analyses the window that ends with the samples gathered.
func (v *voiceSpectrum) transform(f *frame) {
	length := len(v.window)
	for i, x := range v.samples[:length] {
		v.work[i] = x * v.window[i]
	}
	v.samples = v.samples[:copy(v.samples, v.samples[v.hop:])]
	f.periodicity, f.pitchHz = 0, 0

	v.transformer.forward(v.spectrum, v.work)
	power, strongest := 0.0, 0.0
	var before [3]float64 // a line covers up to four bins of a Hann window
	for k, c := range v.spectrum {
		p := real(c)*real(c) + imag(c)*imag(c)
		if k >= v.lowBin && k <= v.highBin {
			power += p
			strongest = max(strongest, p+before[0]+before[1]+before[2])
			before = [3]float64{p, before[0], before[1]}
		}
		v.power[k] = p * v.emphasis[k]
	}
	f.tonality = strongest / max(power, 1e-30)
	f.bandDBFS = powerDB(2 * power / float64(length))
	if f.bandDBFS < minVoiceDBFS {
		return
	}
	v.findPitch(f)
}

// findPitch computes the autocorrelation from the emphasised power spectrum and determines the best period,
// corrected for the window as in Boersma 1993.
func (v *voiceSpectrum) findPitch(f *frame) {
	likeness := v.work[:len(v.work)/2]
	v.transformer.evenSequence(likeness, v.power)
	if likeness[0] <= 0 {
		return
	}
	for lag := v.shortest; lag <= v.longest; lag++ {
		here := likeness[lag] * v.likeness[lag]
		if here <= f.periodicity*likeness[0] || likeness[lag] < likeness[lag-1] || likeness[lag] < likeness[lag+1] {
			continue
		}
		f.periodicity, f.pitchHz = here/likeness[0], v.rateHz/float64(lag)
	}
	f.periodicity = min(f.periodicity, 1)
}

// wideSpectrum measures the power in bands over the whole bandwidth.
type wideSpectrum struct {
	skip, skipped int // samples of two hops left out, because the length of the transform is a power of two
	samples       []float64
	transformer   *transform
	window        []float64
	spectrum      []complex128
	binsPerBand   int
	bands         int
	bandHz        float64
}

func newWideSpectrum(rateHz, span int) wideSpectrum {
	length := 1 << int(math.Log2(float64(span)))
	w := wideSpectrum{
		skip: span - length, samples: make([]float64, 0, length), transformer: newTransform(length),
		window: hann(length), spectrum: make([]complex128, length/2+1),
	}
	binHz := float64(rateHz) / float64(length)
	w.binsPerBand = max(1, int(math.Round(bandWidthHz/binHz)))
	w.bands = min(maxBands, length/2/w.binsPerBand)
	w.bandHz = binHz * float64(w.binsPerBand)
	return w
}

func (w *wideSpectrum) gather(ac []float64) {
	leave := min(w.skip-w.skipped, len(ac))
	w.skipped += leave
	w.samples = append(w.samples, ac[leave:]...)
}

func (w *wideSpectrum) transform(bands *[maxBands]float32) {
	for i := range w.samples {
		w.samples[i] *= w.window[i]
	}
	w.transformer.forward(w.spectrum, w.samples)
	scale := 2 / float64(len(w.window))
	for b := range w.bands {
		power := 0.0
		// Bin 0 is left out: each band begins above the bin at its lower edge.
		for _, c := range w.spectrum[b*w.binsPerBand+1 : (b+1)*w.binsPerBand+1] {
			power += real(c)*real(c) + imag(c)*imag(c)
		}
		bands[b] = float32(min(power*scale, math.MaxFloat32))
	}
	w.samples, w.skipped = w.samples[:0], 0
}
