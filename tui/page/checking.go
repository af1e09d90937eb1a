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

// readingTexts is the number of texts to read aloud, and textFor how much speech
// one of them is, read slowly (90 words a minute). A longer speech goes on with
// the next. What counts is speech, not the clock: no text may change while
// somebody reads it who began late.
const (
	readingTexts = 4
	textFor      = 8 * time.Second
)

// Course is how a check is to go.
type Course struct {
	NoAudio bool // the microphone stays off
	Speaker bool // a tone follows the speech
	Round   int  // counts the checks, so that each has another text to read
	Profile diagnose.Profile
	Chosen  string // name of the microphone; empty when it is not known
	// Microphones are those that were offered, to tell twins apart.
	Microphones []Microphone
}

// Checking shows the running check: a text to read, the meter, and how far the
// probes have come.
type Checking struct {
	Course
	probes    probelist.List
	results   []report.Result
	level     meter.Level
	coach     meter.Coach
	live      diagnose.Live
	elsewhere Elsewhere
	heardAt   time.Time     // since when sound arrives
	missing   time.Duration // how much more speech is wanted
	now       time.Time
}

// NewChecking begins a check.
func NewChecking(c Course) Checking { return Checking{Course: c, live: diagnose.NewLive(c.Profile)} }

// Take notes an event of the running check.
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

// inputOf is what the microphone's result holds; nil when that is nothing.
func inputOf(r *report.Result) *report.AudioInput {
	if r == nil {
		return nil
	}
	in, _ := r.Data.(*report.AudioInput)
	return in
}

// judge shows no mark that the verdict would take back: a probe's own status
// says that it could measure, and only the diagnosis says how good that is.
func (p Checking) judge(r report.Result) Checking {
	p.results = append(slices.Clip(p.results), r)
	partial := report.Report{Probes: slices.Clone(p.results)}
	diagnose.Finish(&partial, p.Profile)
	p.probes = p.probes.Judge(partial.Probes)
	return p
}

// lastAdvice is what stays on the screen once the microphone is done. That no
// sound came is still true then.
func lastAdvice(r *report.Result, before meter.Advice) meter.Advice {
	switch {
	case r == nil, r.Status == report.StatusUnknown, r.Status == report.StatusSkipped:
		return meter.NoMicrophone
	case before == meter.NoSound, before == meter.Muted:
		return before
	}
	if in := inputOf(r); in != nil && in.State != report.CaptureComplete {
		return meter.NoMicrophone // whoever was cut short gets no thanks for enough
	}
	return meter.Finished
}

// At lets time pass.
func (p Checking) At(now time.Time) Checking {
	p.now = now
	p.level = p.level.Fall(now)
	return p
}

// Advice is what to tell the person now.
func (p Checking) Advice() meter.Advice {
	if p.Speaker && p.probes.Done(report.ProbeAudioInput) && !p.probes.Done(report.ProbeAudioOutput) {
		return meter.Tone
	}
	return p.coach.Advice()
}

// Elsewhere is the other microphone that hears the voice, if one does.
func (p Checking) Elsewhere() Elsewhere { return p.elsewhere }

// StatusOf is what a probe that has finished found, as far as that can be
// judged now.
func (p Checking) StatusOf(name string) report.Status { return p.probes.Status(name) }

// TextKey is the key of the text to read aloud.
func (p Checking) TextKey() string {
	n := p.Round
	n += int(p.coach.Spoken() / textFor)
	return fmt.Sprintf("read.text%d", n%readingTexts+1)
}

// remaining is how many seconds of speech are still wanted; 0 when nobody has to
// go on.
func (p Checking) remaining() int {
	if p.heardAt.IsZero() || p.probes.Done(report.ProbeAudioInput) {
		return 0
	}
	return int(math.Ceil(p.missing.Seconds()))
}
