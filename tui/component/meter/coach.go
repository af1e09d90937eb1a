package meter

import (
	"math"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

// Advice is a message to a person who is speaking.
type Advice string

// Kinds of advice.
const (
	Opening      Advice = "opening"  // no sound yet
	Speak        Advice = "speak"    // sound, but no speech
	Louder       Advice = "louder"   // the voice is too quiet
	Softer       Advice = "softer"   // the voice is too loud
	Good         Advice = "good"     // the voice is right
	NoSound      Advice = "no_sound" // all samples are exactly zero
	Muted        Advice = "muted"    // the system has muted the microphone
	Finished     Advice = "finished" // the microphone has been measured
	Tone         Advice = "tone"     // measured, and the loudspeaker comes next
	NoMicrophone Advice = "no_microphone"
)

// Limits of the advice, for the level of active speech: too quiet below -40 dBFS, too loud
// above -16 dBFS or with peaks above -1 dBFS. The verdict uses the limits of the profiles.
const (
	tooQuietDBFS = -40.0
	tooLoudDBFS  = -16.0
	peakDBFS     = -1.0
	zeroMS       = 1200 // ms; with the next reading, digital zero is reported within 2 s
	speechFor    = 500 * time.Millisecond
	pauseFor     = 2500 * time.Millisecond // longer than a breath between sentences
	loudFor      = time.Second
	settleFor    = 600 * time.Millisecond // new advice must hold this long before it is shown
	memory       = time.Second            // time constant of the mean level
)

// Coach converts readings to advice that does not flicker.
type Coach struct {
	advice    Advice
	next      Advice
	nextSince time.Time

	at       time.Time
	spokenAt time.Time // last reading with speech
	loudAt   time.Time // last peak near full scale
	spoken   time.Duration
	power    float64 // mean power of the readings with speech
	zero     bool
	muted    bool
	closed   bool
}

// Advice returns the current advice.
func (c Coach) Advice() Advice {
	if c.advice == "" {
		return Opening
	}
	return c.advice
}

// Spoken returns the amount of speech so far.
func (c Coach) Spoken() time.Duration { return c.spoken }

// Listen records that sound arrives from now on.
func (c Coach) Listen(now time.Time) Coach {
	if c.closed {
		return c
	}
	c.advice, c.next, c.at = Speak, Speak, now
	return c.settle(c.judge(now), now)
}

// Mute records that the system has muted or unmuted the microphone.
func (c Coach) Mute(muted bool, now time.Time) Coach {
	if c.closed {
		return c
	}
	c.muted = muted
	return c.settle(c.judge(now), now)
}

// Finish ends the advice with Finished or NoMicrophone.
func (c Coach) Finish(last Advice) Coach {
	c.advice, c.closed = last, true
	return c
}

// Hear processes a reading.
func (c Coach) Hear(l probe.Level, now time.Time) Coach {
	if c.closed {
		return c
	}
	if c.advice == "" {
		c = c.Listen(now)
	}
	step := min(max(0, now.Sub(c.at)), memory)
	c.at = now
	if l.Speech {
		c.spokenAt = now
		c.spoken += step
		keep := math.Exp(-float64(step) / float64(memory))
		if c.power == 0 {
			keep = 0
		}
		c.power = keep*c.power + (1-keep)*math.Pow(10, min(0, l.RMSDBFS)/10)
	}
	if l.PeakDBFS > peakDBFS {
		c.loudAt = now
	}
	c.zero = l.ZeroMS >= zeroMS
	return c.settle(c.judge(now), now)
}

// judge returns the advice for this moment.
func (c Coach) judge(now time.Time) Advice {
	level := 10 * math.Log10(c.power)
	switch {
	case c.muted:
		return Muted
	case c.zero:
		return NoSound
	case c.at.IsZero():
		return Opening
	case !c.loudAt.IsZero() && now.Sub(c.loudAt) < loudFor:
		return Softer
	case c.spoken < speechFor, now.Sub(c.spokenAt) > pauseFor:
		return Speak
	case level > tooLoudDBFS:
		return Softer
	case level < tooQuietDBFS:
		return Louder
	}
	return Good
}

// settle shows new advice after it has held for a while. Mute and digital zero are shown and
// removed at once, because they are certain and urgent.
func (c Coach) settle(a Advice, now time.Time) Coach {
	if a != c.next {
		c.next, c.nextSince = a, now
	}
	certain := a.certain() || c.advice.certain()
	if c.next != c.advice && (certain || now.Sub(c.nextSince) >= settleFor) {
		c.advice = c.next
	}
	return c
}

func (a Advice) certain() bool { return a == NoSound || a == Muted }
