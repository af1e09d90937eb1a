package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Live reports causes while the participant is still speaking. It applies the rules of
// the finished report to what is known so far, with three differences: it does not
// report what cannot be known yet (see ripeness), it reports only what several consecutive
// evaluations agree on, and it withdraws a cause only after as many evaluations without
// it. So the display does not flicker, and a single short disturbance has no effect.
//
// It is a value: Look returns the next one. The verdict is based on the whole
// recording.
type Live struct {
	profile Profile
	before  [agreeing - 1][]string // the causes of the previous evaluations
	clips   clips
	named   report.Cause
}

// agreeing is the number of evaluations that must agree: half a second at four per
// second.
const agreeing = 3

// NewLive returns a Live that uses profile p.
func NewLive(p Profile) Live { return Live{profile: p} }

// Look evaluates what is known so far, about four times per second.
func (l Live) Look(in *report.AudioInput) Live {
	l.clips = l.clips.look(in)
	found := l.ripeCauses(in)
	codes := make([]string, len(found))
	for i, c := range found {
		codes[i] = c.Code
	}
	before := l.before
	copy(l.before[1:], before[:])
	l.before[0] = codes
	missed := func(code string) func([]string) bool {
		return func(look []string) bool { return !slices.Contains(look, code) }
	}
	again := func(code string) bool {
		return code == l.named.Code || !slices.ContainsFunc(before[:], missed(code))
	}
	switch i := slices.IndexFunc(codes, again); {
	case i >= 0:
		l.named = found[i]
		l.named.Primary = true
	case !slices.ContainsFunc(before[:], func(look []string) bool { return slices.Contains(look, l.named.Code) }):
		l.named = report.Cause{} // withdrawn
	}
	return l
}

// Last evaluates the whole recording, without waiting for anything.
func (l Live) Last(in *report.AudioInput) Live {
	l.named = report.Cause{}
	causes, _ := Diagnose(onlyInput(in), l.profile)
	if len(causes) > 0 && causes[0].Primary {
		l.named = causes[0]
	}
	return l
}

func onlyInput(in *report.AudioInput) *report.Report {
	return &report.Report{Probes: []report.Result{{Name: report.ProbeAudioInput, Data: in}}}
}

// Cause returns the most urgent of the causes that are certain enough, and whether
// there is one.
func (l Live) Cause() (report.Cause, bool) { return l.named, l.named.Code != "" }

// ripeCauses returns the causes worth a warning that can be known by now, most urgent
// first.
func (l Live) ripeCauses(in *report.AudioInput) []report.Cause {
	f := factsOf(onlyInput(l.early(in)), l.profile)
	var causes []report.Cause
	for _, d := range diagnose(f) {
		if d.severity != report.SeverityInfo && f.isRipe(d.definition.ripe) {
			causes = append(causes, d.cause())
		}
	}
	return causes
}

// early returns what is known so far, adjusted where only the whole recording permits a
// judgement.
//
// A share of the recording is computed relative to a longer one: a single knock on the
// table clips more than a thousandth of the first two seconds, and a computer that is
// busy for a tenth of a second loses 5 % of them, which does not mean that the sampling
// rate is wrong. Repeated clipping is not a knock.
//
// Noise masks most of a voice: if syllables are recognised at all, there is enough of
// it.
func (l Live) early(in *report.AudioInput) *report.AudioInput {
	copied := *in
	limits := l.profile.Audio
	if captured, known := number(in.CapturedMS); known && captured < limits.LiveShareMS.Value {
		shares := []**float64{&copied.RateErrorPct}
		if float64(l.clips.looks) < limits.LiveClippedLooks.Value {
			shares = append(shares, &copied.ClippedPct)
		}
		for _, share := range shares {
			if v, measured := number(*share); measured {
				*share = new(v * captured / limits.LiveShareMS.Value)
			}
		}
	}
	// Without speech there is no signal-to-noise ratio.
	_, above := l.profile.snrOf(in)
	if snr, known := number(above); known && limits.SNRDB.Fail != nil && snr < *limits.SNRDB.Fail && in.SpeechMS != nil {
		copied.SpeechMS = new(max(*in.SpeechMS, limits.SpeechMinMS.Value))
	}
	return &copied
}

// clips counts the evaluations with new clipping.
type clips struct {
	runs  float64
	looks int
}

func (c clips) look(in *report.AudioInput) clips {
	if runs, ok := count(in.ClippedRuns); ok && runs > c.runs {
		c.runs = runs
		c.looks++
	}
	return c
}

// ripeness is when a cause can be known during the recording.
type ripeness int

const (
	// ripeAtOnce is what the system reports, and what shows without a voice: gaps are
	// gaps in any sound, and hide a voice.
	ripeAtOnce ripeness = iota
	// ripeWithVoice is what appears in the sound of a voice: before that a click
	// dominates the recording, and there is nothing to compare the noise with. If
	// nobody speaks for a while, the wait ends.
	ripeWithVoice
	// ripeInSilence is that nobody speaks, which takes a while to tell.
	ripeInSilence
)

// isRipe reports whether a cause of that kind can be known by now.
func (f *facts) isRipe(r ripeness) bool {
	captured, _ := f.heardFor()
	switch r {
	case ripeAtOnce:
	case ripeInSilence:
		return captured >= f.Audio.LiveNoSpeechMS.Value
	case ripeWithVoice:
		speech, _ := number(f.speechMS())
		return speech >= f.Audio.LiveSpeechMS.Value || captured >= f.Audio.LiveWaitMS.Value
	}
	return true
}
