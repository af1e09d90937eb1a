package diagnose

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

// heard returns a voice of this length in ms without a fault.
func heard(capturedMS, speechMS float64) *report.AudioInput {
	return &report.AudioInput{
		State: report.CaptureComplete, CapturedMS: &capturedMS, SpeechMS: &speechMS,
		ActiveLevelDBFS: new(-26.0), RMSDBFS: new(-28.0), NoiseFloorDBFS: new(-60.0), SNRDB: new(34.0),
	}
}

func noisy(capturedMS, speechMS float64) *report.AudioInput {
	in := heard(capturedMS, speechMS)
	in.SNRDB = new(6.0)
	return in
}

func live(t *testing.T) Live {
	t.Helper()
	p, err := LoadProfile(DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	return NewLive(p)
}

// repeatedly evaluates the same facts repeatedly.
func repeatedly(l Live, in *report.AudioInput) Live {
	for range agreeing {
		l = l.Look(in)
	}
	return l
}

func TestLiveNamesWhatSeveralLooksAgreeOn(t *testing.T) {
	l := live(t)
	for i, step := range []struct {
		in   *report.AudioInput
		want string
	}{
		{noisy(2000, 1500), ""}, // once
		{noisy(2250, 1750), ""}, // twice
		{heard(2500, 2000), ""}, // and not again
		{noisy(2750, 2250), ""},
		{noisy(3000, 2500), ""},
		{noisy(3250, 2750), "audio.noise"}, // three in a row
		{heard(3500, 3000), "audio.noise"}, // missing for the first time
		{noisy(3750, 3250), "audio.noise"}, // it was certain all the time
		{heard(4000, 3500), "audio.noise"}, // missing
		{heard(4250, 3750), "audio.noise"}, // still
		{heard(4500, 4000), ""},            // for good
	} {
		l = l.Look(step.in)
		if c, named := l.Cause(); c.Code != step.want || named != (step.want != "") {
			t.Errorf("evaluation %d: got %q, want %q", i, c.Code, step.want)
		}
	}
}

func TestLiveNamesTheMostUrgent(t *testing.T) {
	both := noisy(3000, 2500)
	both.IsMonitor = new(true)
	both.ClippedRuns, both.ClippedPct = new(50), new(5.0)
	l := repeatedly(live(t), both)
	if c, _ := l.Cause(); c.Code != "audio.default_is_monitor" || !c.Primary || len(c.Evidence) == 0 {
		t.Errorf("got %+v, want audio.default_is_monitor as primary with evidence", c)
	}
}

// TestLiveTellsAKnockFromAVoiceThatClips: both clip the same share of the first
// seconds, but only the voice clips repeatedly.
func TestLiveTellsAKnockFromAVoiceThatClips(t *testing.T) {
	for name, tt := range map[string]struct {
		runs []int // at each evaluation
		want string
	}{
		"a knock":         {[]int{0, 0, 5, 8, 8, 8, 8, 8, 8, 8}, ""},
		"two knocks":      {[]int{0, 4, 4, 8, 8, 8, 8, 8, 8, 8}, ""},
		"again and again": {[]int{0, 4, 8, 8, 12, 16, 16, 20, 20, 20}, "audio.clipped"},
	} {
		l := live(t)
		for i, runs := range tt.runs {
			in := heard(1250+250*float64(i), 1000)
			in.ClippedRuns, in.ClippedPct = &runs, new(0.14)
			l = l.Look(in)
		}
		if c, _ := l.Cause(); c.Code != tt.want {
			t.Errorf("%s: got %q, want %q", name, c.Code, tt.want)
		}
	}
}

func TestLiveIsSilentOnWhatCannotBeKnownYet(t *testing.T) {
	low := func(captured, speech float64) *report.AudioInput {
		in := heard(captured, speech)
		in.OSVolumeDB, in.ActiveLevelDBFS = new(-60.0), new(-70.0)
		return in
	}
	knock := func(captured, speech float64) *report.AudioInput {
		in := heard(captured, speech)
		in.ClippedRuns, in.ClippedPct = new(8), new(100*5/captured) // 5 ms of it
		return in
	}
	held := func(captured, speech float64) *report.AudioInput {
		in := heard(captured, speech)
		in.RateErrorPct = new(-100 * 95 / captured) // 95 ms arrived late
		return in
	}
	fast := func(captured, speech float64) *report.AudioInput {
		in := heard(captured, speech)
		in.RateErrorPct = new(8.8) // 48 kHz mistaken for 44.1
		return in
	}
	for name, tt := range map[string]struct {
		make             func(captured, speech float64) *report.AudioInput
		captured, speech float64
		want             string
	}{
		"noise without enough of a voice":  {noisy, 2000, 800, ""},
		"noise":                            {noisy, 2000, 1200, "audio.noise"},
		"noise that masks most of a voice": {noisy, 3000, 320, "audio.noise"},
		"nobody speaks yet":                {heard, 3000, 0, ""},
		"nobody speaks":                    {heard, 3500, 0, "audio.no_speech"},
		"low volume, nobody speaks yet":    {low, 2500, 0, ""},
		"low volume, nobody speaks":        {low, 3000, 0, "audio.os_volume_low"},
		"a knock in a short recording":     {knock, 2500, 1500, ""},
		"a stall of a tenth of a second":   {held, 2000, 1500, ""},
		"a wrong rate":                     {fast, 2000, 1500, "audio.sample_rate_wrong"},
	} {
		l := repeatedly(live(t), tt.make(tt.captured, tt.speech))
		if c, _ := l.Cause(); c.Code != tt.want {
			t.Errorf("%s: got %q, want %q", name, c.Code, tt.want)
		}
	}
	in := knock(2500, 1500)
	before := *in.ClippedPct
	live(t).Look(in)
	muffled := noisy(3000, 320)
	live(t).Look(muffled)
	if *in.ClippedPct != before || *muffled.SpeechMS != 320 {
		t.Error("Look modified the report")
	}
}
