package signal

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

func TestNewAnalyzerRefusesUnsupportedFormats(t *testing.T) {
	for _, f := range []Format{{48000, 0}, {48000, -1}, {7999, 1}, {192001, 2}, {1, 1}, {0, 1}} {
		if a, err := NewAnalyzer(f); err == nil || a != nil {
			t.Errorf("%+v was accepted, want an error", f)
		}
	}
	for _, f := range []Format{{8000, 1}, {192000, 2}, {11025, 1}, {12345, 2}, {48000, 8}} {
		if _, err := NewAnalyzer(f); err != nil {
			t.Errorf("%+v: got error %v, want none", f, err)
		}
	}
}

func TestAnalysisOfNothing(t *testing.T) {
	r := analyse(Format{48000, 2}, nil)
	if r.DurationMS != 0 || r.AllZero || r.ActiveLevelDBFS != NoSpeechDBFS || r.PeakDBFS != FloorDBFS ||
		r.NoiseFloorDBFS != nil || r.SNRDB != nil || r.HumHz != nil || r.BandwidthHz != nil || r.ChannelCorrelation != nil {
		t.Errorf("got %+v, want the values of an empty recording", r)
	}
}

// TestAnalysisDoesNotDependOnBlocks: no result may depend on how the stream is divided into
// blocks, even within a frame, nor on queries.
func TestAnalysisDoesNotDependOnBlocks(t *testing.T) {
	need.Full(t, "analyses many recordings")
	random := rand.New(rand.NewPCG(3, 3))
	for _, f := range []Format{{48000, 1}, {44100, 2}, {16000, 3}, {11025, 2}, {96000, 2}, {192000, 1}} {
		voice := addNoise(syllables(f.RateHz, 4, 140, 0.3), -60)
		samples := make([]float32, 0, len(voice)*f.Channels)
		for i, x := range voice {
			for c := range f.Channels {
				samples = append(samples, x*float32(1-0.3*float64(c))+float32(i%5)*0.001)
			}
		}
		whole := analyse(f, samples)
		pieces, _ := NewAnalyzer(f)
		for at := 0; at < len(samples); {
			n := min(len(samples)-at, 1+random.IntN(1500))
			pieces.Write(samples[at : at+n])
			at += n
			if random.IntN(20) == 0 {
				pieces.Analysis()
				pieces.Level()
			}
		}
		got := pieces.Analysis()
		// The order of summation differs.
		a, b := jsonNumbers(t, whole), jsonNumbers(t, got)
		for name, want := range a {
			if math.Abs(b[name]-want) > 1e-6 {
				t.Errorf("%+v: %s is %v in one block, %v in many", f, name, want, b[name])
			}
		}
	}
}

// TestQueriesChangeNothing: a query in the middle of a stream returns what it would at its end,
// and does not change any later result by a single bit.
func TestQueriesChangeNothing(t *testing.T) {
	formats := []Format{{44100, 2}, {8000, 1}, {48000, 1}, {96000, 1}}
	if need.Short() {
		formats = formats[:2]
	}
	for _, f := range formats {
		voice := addTone(addNoise(syllables(f.RateHz, 6, 140, 0.3), -60), f.RateHz, 50, -45)
		samples := make([]float32, 0, len(voice)*f.Channels)
		for i, x := range voice {
			if i%f.RateHz < f.RateHz/50 {
				x = 0 // a gap
			}
			for range f.Channels {
				samples = append(samples, max(-0.2, min(0.2, x)))
			}
		}
		left, _ := NewAnalyzer(f)
		asked, _ := NewAnalyzer(f)
		step := f.RateHz / 100 * f.Channels
		for at := 0; at+step <= len(samples); at += step {
			left.Write(samples[at : at+step])
			asked.Write(samples[at : at+step])
			if at/step%5 != 0 {
				continue
			}
			midway := asked.Analysis()
			if at%(50*step) != 0 {
				continue
			}
			alone, _ := NewAnalyzer(f)
			for from := 0; from <= at; from += step {
				alone.Write(samples[from : from+step])
			}
			if want := alone.Analysis(); !reflect.DeepEqual(midway, want) {
				t.Fatalf("%+v: after %d samples got\n%+v\nwant as for a recording of that length\n%+v", f, at+step, midway, want)
			}
		}
		if got, want := asked.Analysis(), left.Analysis(); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: with queries got\n%+v\nwant as without\n%+v", f, got, want)
		}
	}
}

func jsonNumbers(t *testing.T, r Analysis) map[string]float64 {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatalf("not representable in JSON: %v", err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	numbers := map[string]float64{}
	for name, v := range fields {
		if x, ok := v.(float64); ok {
			numbers[name] = x
		}
	}
	return numbers
}

func TestWriteDoesNotAllocate(t *testing.T) {
	for _, f := range []Format{{192000, 2}, {96000, 1}, {48000, 2}, {44100, 1}, {8000, 1}} {
		a, _ := NewAnalyzer(f)
		samples := syllables(f.RateHz, 1, 120, 0.5)
		if n := testing.AllocsPerRun(50, func() { a.Write(samples); a.Level() }); n != 0 {
			t.Errorf("%+v: %g allocations per write, want none", f, n)
		}
	}
}

func TestLevels(t *testing.T) {
	tone := addTone(make([]float32, 96000), 48000, 1000, -20)
	r := analyse(Format{48000, 1}, tone)
	for name, pair := range map[string][2]float64{
		"RMS": {r.RMSDBFS, -20}, "active": {r.ActiveLevelDBFS, -20}, "peak": {r.PeakDBFS, -16.99}, "duration": {r.DurationMS, 2000},
	} {
		if math.Abs(pair[0]-pair[1]) > 0.1 {
			t.Errorf("%s = %.3f, want %.2f", name, pair[0], pair[1])
		}
	}
}

func TestDCOffsetIsMeasuredAndNotCountedAsLevel(t *testing.T) {
	voice := syllables(48000, 5, 120, 0.1)
	plain := analyse(Format{48000, 1}, voice)
	for i := range voice {
		voice[i] += 0.05
	}
	shifted := analyse(Format{48000, 1}, voice)
	if math.Abs(shifted.DCOffset-plain.DCOffset-0.05) > 1e-6 {
		t.Errorf("offset %.4f, want 0.05 more than %.4f", shifted.DCOffset, plain.DCOffset)
	}
	if math.Abs(shifted.ActiveLevelDBFS-plain.ActiveLevelDBFS) > 0.1 || math.Abs(shifted.RMSDBFS-plain.RMSDBFS) > 0.01 ||
		math.Abs(*shifted.NoiseFloorDBFS-*plain.NoiseFloorDBFS) > 0.5 {
		t.Errorf("levels with an offset: %+v\nwithout: %+v", shifted, plain)
	}
}

func TestNonFiniteSamplesAreCountedAndSilenced(t *testing.T) {
	samples := syllables(48000, 1, 120, 0.1)
	samples[100], samples[20000], samples[47999] = float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))
	r := analyse(Format{48000, 1}, samples)
	if r.NonFinite != 3 || r.PeakDBFS > 0 {
		t.Errorf("%d not finite, peak %.1f; want 3, at most 0", r.NonFinite, r.PeakDBFS)
	}
	jsonNumbers(t, r)
}

func TestDigitalZero(t *testing.T) {
	all := analyse(Format{48000, 2}, make([]float32, 96000))
	if !all.AllZero || all.DigitalZeroMS != 1000 {
		t.Errorf("all zero: %v, %g ms; want true, 1000 ms", all.AllZero, all.DigitalZeroMS)
	}
	samples := syllables(48000, 3, 120, 0.1)
	clear(samples[48000:72000])
	some := analyse(Format{48000, 1}, samples)
	if some.AllZero || math.Abs(some.DigitalZeroMS-500) > 1 {
		t.Errorf("some zero: %v, %g ms; want false, 500 ms", some.AllZero, some.DigitalZeroMS)
	}
	oneChannel := make([]float32, 96000)
	for i := range oneChannel {
		oneChannel[i] = float32(i%2) * 0.1
	}
	if r := analyse(Format{48000, 2}, oneChannel); r.AllZero || r.DigitalZeroMS > 0.1 {
		t.Errorf("one active channel: got all zero %v, %g ms of zeros; want false, at most 0.1", r.AllZero, r.DigitalZeroMS)
	}
}

func TestLiveLevel(t *testing.T) {
	a, _ := NewAnalyzer(Format{48000, 1})
	if l := a.Level(); l != (Level{RMSDBFS: FloorDBFS, PeakDBFS: FloorDBFS}) {
		t.Errorf("before any sound: %+v, want %v for both levels", l, FloorDBFS)
	}
	a.Write(addTone(make([]float32, 24000), 48000, 1000, -30))
	if l := a.Level(); math.Abs(l.RMSDBFS+30) > 0.2 || math.Abs(l.PeakDBFS+27) > 0.2 || l.ZeroMS != 0 || l.Speech {
		t.Errorf("a tone of -30 dBFS: %+v, want RMS -30, peak -27, no zeros and no speech", l)
	}
	a.Write(make([]float32, 48000))
	if l := a.Level(); l.RMSDBFS > -100 || l.ZeroMS != 1000 {
		t.Errorf("after a second of zeros: %+v, want at most -100 dBFS and 1000 ms of zeros", l)
	}
	heard := false
	for voice := addNoise(syllables(48000, 3, 120, 0.1), -70); len(voice) > 0; voice = voice[480:] {
		a.Write(voice[:480])
		heard = heard || a.Level().Speech
	}
	if !heard {
		t.Error("the live level shows no speech for a voice")
	}
	a.Write(addNoise(make([]float32, 48000), -70))
	if a.Level().Speech {
		t.Error("the live level still shows speech in noise")
	}
}

func FuzzWrite(f *testing.F) {
	f.Add([]byte("any bits may come from a broken driver"), uint32(48000), uint8(2))
	f.Add([]byte{0, 0, 0xc0, 0x7f, 0xff, 0xff, 0x7f, 0x7f, 1, 0, 0, 0}, uint32(8000), uint8(1))
	f.Fuzz(func(t *testing.T, bits []byte, rate uint32, channels uint8) {
		a, err := NewAnalyzer(Format{int(rate % 200000), int(channels % 5)})
		if err != nil {
			return
		}
		samples := make([]float32, len(bits)/4)
		for i := range samples {
			samples[i] = math.Float32frombits(binary.LittleEndian.Uint32(bits[4*i:]))
		}
		for range 1 + 20000/(len(samples)+1) { // long enough for every meter
			a.Write(samples)
		}
		first := a.Analysis()
		jsonNumbers(t, first) // fails for NaN and infinity
		if l := a.Level(); math.IsNaN(l.RMSDBFS) || math.IsNaN(l.PeakDBFS) {
			t.Errorf("level %+v, want numbers", l)
		}
		if second := a.Analysis(); !reflect.DeepEqual(first, second) {
			t.Errorf("a query changed the result: first %+v, then %+v", first, second)
		}
	})
}
