package voices

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
)

// Healthy is the truth of a fixture without a fault.
const Healthy = ""

// Fixture is a recording with a known fault.
type Fixture struct {
	Truth    string // the code of the cause, or Healthy
	Kind     string // the kind of processing, such as "hum of 50 Hz"
	Strength string // its amount, such as "-45 dBFS"
	Speaker  Speaker
	RateHz   int
	Device   Device
	Loop     *Loop

	number int
	steps  []step
}

// Device is the operating system's description of the microphone.
type Device struct {
	Muted        *bool
	VolumeDB     *float64
	Bluetooth    bool
	NativeRateHz int // 0: the rate of the recording
}

// Loop describes how the microphone receives a test sound from the loudspeaker.
type Loop struct {
	DelayMS  float64
	ReturnDB float64
}

// Name returns a name that is unique among the fixtures.
func (f Fixture) Name() string {
	return fmt.Sprintf("%03d %s, %s, %s, %d Hz", f.number, f.Kind, f.Strength, f.Speaker.Name(), f.RateHz)
}

// random returns the fixture's random source, the same in every run.
func (f Fixture) random() *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(f.Name()))
	return rand.New(rand.NewPCG(h.Sum64(), 3))
}

// roomSeconds is the length of a recording without speech.
const roomSeconds = 7

// record generates the recording.
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

// fixtureList collects fixtures and alternates speakers and rates.
type fixtureList struct {
	fixtures []Fixture
	speakers []Speaker
	rates    []int
	turn     int
}

func newFixtureList() *fixtureList {
	return &fixtureList{speakers: speakers(), rates: []int{48000, 44100, 48000, 16000, 48000}}
}

// add adds count fixtures with the next speakers.
func (c *fixtureList) add(count int, f Fixture, steps ...step) {
	for range count {
		if f.Speaker == nobody {
			c.addAs(c.speakers[c.turn%len(c.speakers)], f, steps...)
		} else {
			c.addAs(f.Speaker, f, steps...)
		}
	}
}

// addNobody adds count fixtures without speech.
func (c *fixtureList) addNobody(count int, f Fixture, steps ...step) {
	for range count {
		c.addAs(nobody, f, steps...)
	}
}

func (c *fixtureList) addAs(who Speaker, f Fixture, steps ...step) {
	f.Speaker, f.number, f.steps = who, len(c.fixtures), steps
	if f.RateHz == 0 {
		f.RateHz = c.rates[c.turn%len(c.rates)]
	}
	c.turn++
	c.fixtures = append(c.fixtures, f)
}

// Fixtures returns all fixtures in a fixed order.
func Fixtures() []Fixture {
	c := newFixtureList()
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

// spokenAt sets the active level of the voice and adds half a second before and after it.
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
