package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Live names the cause of trouble while the participant still speaks. It has
// the rules of the finished report look at what is known so far, and differs
// from them in three things: what cannot be known yet it does not say (see
// ripe), it names only what two looks one after another agree on, and what it
// has named it takes back only after two looks without it. So nothing flickers,
// and a single unlucky moment accuses nobody.
//
// It is a value: Look returns the next one. The verdict stays that of the whole
// recording.
type Live struct {
	profile Profile
	latest  []string // the causes of the latest look
	named   report.Cause
}

// NewLive judges by profile p.
func NewLive(p Profile) Live { return Live{profile: p} }

// Look takes in what is known so far, about twice a second.
func (l Live) Look(in *report.AudioInput) Live {
	found := ripeCauses(in, l.profile)
	codes := make([]string, len(found))
	for i, c := range found {
		codes[i] = c.Code
	}
	before := l.latest
	l.latest = codes
	again := func(code string) bool { return code == l.named.Code || slices.Contains(before, code) }
	switch i := slices.IndexFunc(codes, again); {
	case i >= 0:
		l.named = found[i]
		l.named.Primary = true
	case !slices.Contains(before, l.named.Code): // missing for the second time
		l.named = report.Cause{}
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
func ripeCauses(in *report.AudioInput, p Profile) []report.Cause {
	f := factsOf(onlyInput(diluted(in, p)), p)
	var causes []report.Cause
	for _, d := range diagnose(f) {
		if d.severity != report.SeverityInfo && f.ripe(d.definition.Code) {
			causes = append(causes, d.cause())
		}
	}
	return causes
}

// diluted holds what is a share of the recording against a longer one: a single
// knock on the table clips more than a thousandth of the first two seconds, and
// a computer that is busy for a tenth of a second has lost 5 % of them, which is
// no wrong sampling rate.
func diluted(in *report.AudioInput, p Profile) *report.AudioInput {
	captured, known := number(in.CapturedMS)
	if !known || captured >= p.Audio.LiveShareMS.Value {
		return in
	}
	copied := *in
	for _, share := range []**float64{&copied.ClippedPct, &copied.RateErrorPct} {
		if v, measured := number(*share); measured {
			*share = new(v * captured / p.Audio.LiveShareMS.Value)
		}
	}
	return &copied
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
		// Gaps are gaps without a voice too, and hide one; but one more or less
		// may be a noise gate's own.
		gaps, _ := count(f.in.Dropouts)
		return !f.gated() || gaps >= f.Audio.LiveGatedGaps.Value
	case slices.Contains(needVoice(), code):
		speech, _ := number(f.speechMS())
		return speech >= f.Audio.LiveSpeechMS.Value || captured >= f.Audio.LiveWaitMS.Value
	}
	return true
}

// gated reports whether the pauses are digital zero, as behind a noise gate.
func (f *facts) gated() bool {
	zero, ok := number(f.in.DigitalZeroMS)
	return ok && zero >= f.Audio.LiveGateMS.Value
}

// needVoice are the causes that show in the sound, and the low volume, which a
// voice that is loud enough clears.
func needVoice() []string {
	codes := []string{"audio.os_volume_low"}
	for _, d := range signalDefinitions() {
		codes = append(codes, d.Code)
	}
	return codes
}
