package page

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/component/meter"
	"github.com/tonprobe/tonprobe/tui/component/probelist"
)

// readingTexts is the number of texts to read aloud, and textFor the amount of speech in
// one of them at a slow pace (90 words a minute). A longer recording continues with the
// next one. The measure is speech, not time, so that a text does not change while a
// person who started late still reads it.
const (
	readingTexts = 4
	textFor      = 8 * time.Second
)

// Course configures a check.
type Course struct {
	NoAudio bool // the microphone is not used
	Speaker bool // a tone follows the speech
	Round   int  // number of the check, so that each has another text
	Profile diagnose.Profile
	Chosen  string // name of the microphone; empty if unknown
	// Microphones are the offered ones, to distinguish those of the same name.
	Microphones []Microphone
}

// Checking shows the running check: a text to read, the level meter, and the progress of
// the probes.
type Checking struct {
	Course
	probes    probelist.List
	results   []report.Result
	level     meter.Level
	coach     meter.Coach
	live      diagnose.Live
	elsewhere Elsewhere
	heardAt   time.Time     // time of the first sound
	missing   time.Duration // amount of speech still needed
	now       time.Time
}

// NewChecking begins a check.
func NewChecking(c Course) Checking { return Checking{Course: c, live: diagnose.NewLive(c.Profile)} }

// Take applies an event of the running check.
func (p Checking) Take(e probe.Event, now time.Time) Checking {
	p = p.At(now)
	p.probes = p.probes.Take(e)
	if e.Kind == probe.EventDone && e.Result != nil {
		p = p.judge(*e.Result)
	}
	if e.Probe == report.ProbeAudioInput {
		p = p.hear(e, now)
	}
	return p
}

func (p Checking) hear(e probe.Event, now time.Time) Checking {
	switch e.Kind {
	case probe.EventListening:
		p.heardAt = now
		p.coach = p.coach.Listen(now)
	case probe.EventLevel:
		if p.heardAt.IsZero() {
			p.heardAt = now
		}
		p.missing = time.Duration(e.Level.MissingMS * float64(time.Millisecond))
		p.level = p.level.Hear(e.Level, now)
		p.coach = p.coach.Hear(e.Level, now)
	case probe.EventMuted:
		p.coach = p.coach.Mute(e.Muted, now)
	case probe.EventVoiceElsewhere:
		p.elsewhere = Elsewhere{Device: e.Device, Name: e.DeviceName, Chosen: p.Chosen}
		for _, m := range p.Microphones {
			if m.ID == e.Device {
				p.elsewhere.Twin = m.Twin
			}
		}
	case probe.EventPartial:
		if in := inputOf(e.Result); in != nil {
			p.live = p.live.Look(in)
		}
	case probe.EventDone:
		p.coach = p.coach.Finish(lastAdvice(e.Result, p.coach.Advice()))
		if in := inputOf(e.Result); in != nil {
			p.live = p.live.Last(in)
		}
	}
	return p
}

// inputOf returns the data of the microphone's result; nil if there is none.
func inputOf(r *report.Result) *report.AudioInput {
	if r == nil {
		return nil
	}
	in, _ := r.Data.(*report.AudioInput)
	return in
}

// judge sets the statuses in the list by a preliminary diagnosis, so that the verdict does not
// contradict them: a probe's own status states only whether it could measure.
func (p Checking) judge(r report.Result) Checking {
	p.results = append(slices.Clip(p.results), r)
	partial := report.Report{Probes: slices.Clone(p.results)}
	diagnose.Finish(&partial, p.Profile)
	p.probes = p.probes.Judge(partial.Probes)
	return p
}

// lastAdvice returns the message that remains after the recording. A message that there was no
// sound stays.
func lastAdvice(r *report.Result, before meter.Advice) meter.Advice {
	switch {
	case r == nil, r.Status == report.StatusUnknown, r.Status == report.StatusSkipped:
		return meter.NoMicrophone
	case before == meter.NoSound, before == meter.Muted:
		return before
	}
	if in := inputOf(r); in != nil && in.State != report.CaptureComplete {
		return meter.NoMicrophone // an interrupted recording is not acknowledged as complete
	}
	return meter.Finished
}

// At advances the time.
func (p Checking) At(now time.Time) Checking {
	p.now = now
	p.level = p.level.Fall(now)
	return p
}

// Advice returns the current advice.
func (p Checking) Advice() meter.Advice {
	if p.Speaker && p.probes.Done(report.ProbeAudioInput) && !p.probes.Done(report.ProbeAudioOutput) {
		return meter.Tone
	}
	return p.coach.Advice()
}

// Elsewhere returns the other microphone that receives the voice, if any.
func (p Checking) Elsewhere() Elsewhere { return p.elsewhere }

// StatusOf returns the status of a finished probe, as far as it can be evaluated now.
func (p Checking) StatusOf(name string) report.Status { return p.probes.Status(name) }

// TextKey returns the key of the text to read aloud.
func (p Checking) TextKey() string {
	n := p.Round
	n += int(p.coach.Spoken() / textFor)
	return fmt.Sprintf("read.text%d", n%readingTexts+1)
}

// remaining returns the seconds of speech still needed; 0 if the person need not
// continue.
func (p Checking) remaining() int {
	if p.heardAt.IsZero() || p.probes.Done(report.ProbeAudioInput) {
		return 0
	}
	return int(math.Ceil(p.missing.Seconds()))
}
