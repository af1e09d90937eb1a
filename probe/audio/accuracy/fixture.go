package accuracy

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
)

// Healthy is the truth of a fixture without a fault.
const Healthy = ""

// Fixture is a recording whose truth is known.
type Fixture struct {
	Truth    string // the code of the cause, or Healthy
	Kind     string // what was done, such as "hum of 50 Hz"
	Strength string // how much, such as "-45 dBFS"
	Speaker  Speaker
	RateHz   int
	Device   Device
	Loop     *Loop

	number int
	steps  []step
}

// Device is what the operating system says of the microphone.
type Device struct {
	Muted        *bool
	VolumeDB     *float64
	Bluetooth    bool
	NativeRateHz int // 0: the recording's
}

// Loop is what the microphone hears of a test sound from the loudspeaker.
type Loop struct {
	DelayMS  float64
	ReturnDB float64
}

// Name is unique among the fixtures.
func (f Fixture) Name() string {
	return fmt.Sprintf("%03d %s, %s, %s, %d Hz", f.number, f.Kind, f.Strength, f.Speaker.Name(), f.RateHz)
}

// random is the fixture's own source, the same in every run.
func (f Fixture) random() *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(f.Name()))
	return rand.New(rand.NewPCG(h.Sum64(), 3))
}

// roomSeconds is the length of a recording in which nobody speaks.
const roomSeconds = 7

// record makes the recording.
func (f Fixture) record(ctx context.Context, studio *Studio) (*take, error) {
	t := &take{rateHz: f.RateHz, random: f.random()}
	if f.Speaker == nobody {
		t.channels = [][]float64{make([]float64, t.seconds(roomSeconds))}
	} else {
		samples, err := studio.say(ctx, f.Speaker, f.RateHz)
		if err != nil {
			return nil, err
		}
		t.channels = [][]float64{samples}
	}
	for _, s := range f.steps {
		s(t)
	}
	sixteenBits(t)
	return t, nil
}

// casting gathers fixtures and lets speakers and rates take turns.
type casting struct {
	fixtures []Fixture
	speakers []Speaker
	rates    []int
	turn     int
}

func newCasting() *casting {
	return &casting{speakers: speakers(), rates: []int{48000, 44100, 48000, 16000, 48000}}
}

// add makes count fixtures with the speakers next in turn.
func (c *casting) add(count int, f Fixture, steps ...step) {
	for range count {
		if f.Speaker == nobody {
			c.addAs(c.speakers[c.turn%len(c.speakers)], f, steps...)
		} else {
			c.addAs(f.Speaker, f, steps...)
		}
	}
}

// addNobody makes count fixtures in which nobody speaks.
func (c *casting) addNobody(count int, f Fixture, steps ...step) {
	for range count {
		c.addAs(nobody, f, steps...)
	}
}

func (c *casting) addAs(who Speaker, f Fixture, steps ...step) {
	f.Speaker, f.number, f.steps = who, len(c.fixtures), steps
	if f.RateHz == 0 {
		f.RateHz = c.rates[c.turn%len(c.rates)]
	}
	c.turn++
	c.fixtures = append(c.fixtures, f)
}

// Fixtures returns all of them, always the same.
func Fixtures() []Fixture {
	c := newCasting()
	c.addHealthy()
	c.addDeviceFaults()
	c.addLevelFaults()
	c.addBackgroundFaults()
	c.addPathFaults()
	c.addFaultsInRooms()
	c.addWithoutPauses()
	c.addSilentLoudspeakers()
	return c.fixtures
}

// spokenAt is a voice as it reaches the microphone: with an active level, and
// half a second before and after it.
func spokenAt(dBFS float64) step {
	return func(t *take) {
		lead(0.5, 0.5)(t)
		cut(7.5)(t)
		level(dBFS)(t)
	}
}

func dBFS(x float64) string    { return fmt.Sprintf("%g dBFS", x) }
func dB(x float64) string      { return fmt.Sprintf("%g dB", x) }
func percent(x float64) string { return fmt.Sprintf("%g %%", x) }
