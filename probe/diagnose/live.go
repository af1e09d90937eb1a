package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Live names the cause of trouble while the participant still speaks. It has
// the rules of the finished report look at what is known so far, and differs
// from them in three things: what cannot be known yet it does not say (see
// ripe), it names only what several looks one after another agree on, and what
// it has named it takes back only after as many looks without it. So nothing
// flickers, and a single unlucky moment accuses nobody.
//
// It is a value: Look returns the next one. The verdict stays that of the whole
// recording.
type Live struct {
	profile Profile
	before  [agreeing - 1][]string // the causes of the latest looks
	clips   clips
	named   report.Cause
}

// agreeing is how many looks must agree: half a second, at four a second.
const agreeing = 3

// NewLive judges by profile p.
func NewLive(p Profile) Live { return Live{profile: p} }

// Look takes in what is known so far, about four times a second.
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
		l.named = report.Cause{} // missed for good
	}
	return l
}

// Last takes in the whole recording. Nothing has to be waited for any more.
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

// Cause is the one to name now, the most urgent of those that are certain
// enough, and whether there is one.
func (l Live) Cause() (report.Cause, bool) { return l.named, l.named.Code != "" }

// ripeCauses are the causes worth a warning that can be known by now, the most
// urgent first.
func (l Live) ripeCauses(in *report.AudioInput) []report.Cause {
	f := factsOf(onlyInput(l.early(in)), l.profile)
	var causes []report.Cause
	for _, d := range diagnose(f) {
		if d.severity != report.SeverityInfo && f.ripe(d.definition.Code) {
			causes = append(causes, d.cause())
		}
	}
	return causes
}

// early is what is known so far, with two things judged as only the whole
// recording lets them be judged.
//
// What is a share of the recording is held against a longer one: a single knock
// on the table clips more than a thousandth of the first two seconds, and a
// computer that is busy for a tenth of a second has lost 5 % of them, which is no
// wrong sampling rate. Who clips again and again knocks on no table.
//
// Noise hides most of a voice: of one in which syllables are recognised at all,
// there is enough.
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
	// Without some speech there is no signal-to-noise ratio.
	if snr, known := number(in.SNRDB); known && limits.SNRDB.Fail != nil && snr < *limits.SNRDB.Fail && in.SpeechMS != nil {
		copied.SpeechMS = new(max(*in.SpeechMS, limits.SpeechMinMS.Value))
	}
	return &copied
}

// clips counts in how many looks the sound had clipped again.
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

// ripe reports whether a cause can be known by now. What the system says can be
// at once. What shows in the sound needs some of the voice it disturbs: before
// that a click fills the whole recording, and nobody knows what the room is to
// be held against. Whoever has not spoken after a while is not waited for.
func (f *facts) ripe(code string) bool {
	captured, _ := f.heardFor()
	switch {
	case code == "audio.no_speech":
		return captured >= f.Audio.LiveNoSpeechMS.Value
	case code == "audio.dropouts":
		return true // gaps are gaps without a voice too, and hide one
	case needsVoice(code):
		speech, _ := number(f.speechMS())
		return speech >= f.Audio.LiveSpeechMS.Value || captured >= f.Audio.LiveWaitMS.Value
	}
	return true
}

func needsVoice(code string) bool {
	d, _ := Lookup(code)
	return d.needsVoice
}
