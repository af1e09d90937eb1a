package diagnose

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

// heard is a voice of so many ms without trouble.
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

func TestLiveNamesWhatTwoLooksAgreeOn(t *testing.T) {
	l := live(t)
	for i, step := range []struct {
		in   *report.AudioInput
		want string
	}{
		{noisy(2000, 1500), ""},            // once
		{heard(2500, 2000), ""},            // and not again
		{noisy(3000, 2500), ""},            // once more
		{noisy(3500, 3000), "audio.noise"}, // twice
		{heard(4000, 3500), "audio.noise"}, // missing for the first time
		{noisy(4500, 4000), "audio.noise"}, // it was there all the time
		{heard(5000, 4500), "audio.noise"}, // missing
		{heard(5500, 5000), ""},            // for good
	} {
		l = l.Look(step.in)
		if c, named := l.Cause(); c.Code != step.want || named != (step.want != "") {
			t.Errorf("look %d: %q, want %q", i, c.Code, step.want)
		}
	}
}

func TestLiveNamesTheMostUrgent(t *testing.T) {
	both := func() *report.AudioInput {
		in := noisy(3000, 2500)
		in.IsMonitor = new(true)
		in.ClippedRuns, in.ClippedPct = new(50), new(5.0)
		return in
	}
	l := live(t).Look(both()).Look(both())
	if c, _ := l.Cause(); c.Code != "audio.default_is_monitor" || !c.Primary || len(c.Evidence) == 0 {
		t.Errorf("%+v", c)
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
	gated := func(captured, speech float64) *report.AudioInput {
		in := heard(captured, speech)
		in.DigitalZeroMS, in.Dropouts = new(450.0), new(2)
		return in
	}
	held := func(captured, speech float64) *report.AudioInput {
		in := heard(captured, speech)
		in.RateErrorPct = new(-100 * 95 / captured) // 95 ms came late
		return in
	}
	fast := func(captured, speech float64) *report.AudioInput {
		in := heard(captured, speech)
		in.RateErrorPct = new(8.8) // 48 kHz taken for 44.1
		return in
	}
	for name, tt := range map[string]struct {
		make             func(captured, speech float64) *report.AudioInput
		captured, speech float64
		want             string
	}{
		"noise without enough of a voice": {noisy, 2000, 800, ""},
		"noise":                           {noisy, 2000, 1200, "audio.noise"},
		"nobody speaks yet":               {heard, 3000, 0, ""},
		"nobody speaks":                   {heard, 3500, 0, "audio.no_speech"},
		"low volume, nobody speaks yet":   {low, 2500, 0, ""},
		"low volume, no voice comes":      {low, 3000, 0, "audio.os_volume_low"},
		"a knock in a short recording":    {knock, 2500, 1500, ""},
		"a busy tenth of a second":        {held, 2000, 1500, ""},
		"a wrong rate":                    {fast, 2000, 1500, "audio.sample_rate_wrong"},
		"a noise gate":                    {gated, 4000, 3000, ""},
	} {
		l := live(t).Look(tt.make(tt.captured, tt.speech)).Look(tt.make(tt.captured, tt.speech))
		if c, _ := l.Cause(); c.Code != tt.want {
			t.Errorf("%s: %q, want %q", name, c.Code, tt.want)
		}
	}
	in := knock(2500, 1500)
	before := *in.ClippedPct
	live(t).Look(in)
	if *in.ClippedPct != before {
		t.Error("a look changed what it looked at")
	}
}
