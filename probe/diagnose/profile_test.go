package diagnose

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestLoadProfile(t *testing.T) {
	if got := ProfileNames(); !slices.Equal(got, []string{"bbb", "daily", "strict", "zoom"}) {
		t.Errorf("ProfileNames() = %q, want bbb, daily, strict and zoom", got)
	}
	for _, name := range ProfileNames() {
		p, err := LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		if p.Name != name {
			t.Errorf("file %s.toml has the name %q", name, p.Name)
		}
		for key, v := range limitsOf(p) {
			if l, ok := v.(Limit); ok && l.Warn != nil && l.Fail != nil && *l.Warn == *l.Fail {
				t.Errorf("%s: %s: warn and fail are the same", name, key)
			}
		}
		for _, l := range []Limit{p.Voice.UpLossPct, p.Voice.DownLossPct, p.Voice.JitterMS, p.Voice.LatePct, p.Voice.RTTMS} {
			if l.Warn == nil || l.Fail == nil || *l.Warn >= *l.Fail {
				t.Errorf("%s: %+v: want warn below fail", name, l)
			}
		}
	}
	for _, name := range ProfileNames() {
		p, _ := LoadProfile(name)
		if certain := p.Voice.LossCertainPct.Value; !(certain > 0 && certain < *p.Voice.UpLossPct.Warn && certain < *p.Voice.DownLossPct.Warn) {
			t.Errorf("%s: a loss is certain from %v %%, but reported from %v %%", name, certain, *p.Voice.UpLossPct.Warn)
		}
	}
	p, err := LoadProfile("")
	if err != nil || p.Name != "bbb" {
		t.Errorf("the default is %q, error %v, want bbb", p.Name, err)
	}
}

// TestDefaultLimitsMatchTheDesign: loss is reported from 3 % with the interval above 1 %, a round trip
// from 400 ms, jitter from 30 ms.
func TestDefaultLimitsMatchTheDesign(t *testing.T) {
	p, err := LoadProfile("")
	if err != nil {
		t.Fatal(err)
	}
	got := []float64{*p.Voice.UpLossPct.Warn, *p.Voice.DownLossPct.Warn, p.Voice.LossCertainPct.Value, *p.Voice.RTTMS.Warn, *p.Voice.JitterMS.Warn}
	if want := []float64{3, 3, 1, 400, 30}; !slices.Equal(got, want) {
		t.Errorf("limits = %v, want %v", got, want)
	}
}

func TestStrictHasTheLimitsOfTeams(t *testing.T) {
	p, err := LoadProfile("strict")
	if err != nil {
		t.Fatal(err)
	}
	got := []float64{*p.Voice.UpLossPct.Warn, *p.Voice.DownLossPct.Warn, *p.Voice.JitterMS.Warn, *p.Voice.RTTMS.Warn, *p.Voice.ReorderedPct.Warn}
	if want := []float64{1, 1, 30, 100, 0.05}; !slices.Equal(got, want) {
		t.Errorf("limits = %v, want %v", got, want)
	}
}

// TestBandwidthOfEachSystem: the figures that each system publishes for the line.
func TestBandwidthOfEachSystem(t *testing.T) {
	for name, want := range map[string][4]float64{
		"bbb": {500, 100, 1000, 100}, "daily": {1100, 700, 1100, 700}, "zoom": {600, 80, 600, 80}, "strict": {2500, 58, 4000, 58},
	} {
		p, err := LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		up, down := p.Link.UpKbps, p.Link.DownKbps
		if got := [4]float64{*up.Warn, *up.Fail, *down.Warn, *down.Fail}; got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestUnknownProfile(t *testing.T) {
	for _, name := range []string{"nonsense", "common", "../bbb", "BBB"} {
		_, err := LoadProfile(name)
		unknown, ok := errors.AsType[*UnknownProfileError](err)
		if !ok || unknown.Name != name || !strings.Contains(err.Error(), "bbb, daily, strict, zoom") {
			t.Errorf("LoadProfile(%q): got error %v, want one that lists the profiles", name, err)
		}
	}
}

func TestDecodeProfileRefuses(t *testing.T) {
	common, err := profileFiles.ReadFile("profiles/common.toml")
	if err != nil {
		t.Fatal(err)
	}
	bbb, err := profileFiles.ReadFile("profiles/bbb.toml")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		files []string
		want  string
	}{
		{"an unknown key", []string{string(common), string(bbb) + "\n[voice.speed]\nwarn = 1\n"}, "unknown key"},
		{"a misspelled end", []string{string(common), strings.Replace(string(bbb), "warn = 400", "wran = 400", 1)}, "unknown key"},
		{"broken TOML", []string{string(common), "name = "}, "parse"},
		{"no common limits", []string{string(bbb)}, "neither warn nor fail is set"},
		{"a missing bound", []string{strings.Replace(string(common), "[audio.speech_min_ms]\nvalue = 500\nsource = \"Tonprobe\"", "", 1), string(bbb)}, "audio.speech_min_ms: is not set"},
		{"a limit without source", []string{string(common), strings.Replace(string(bbb), "fail = 1000\nsource = \"Twilio, ITU-T G.114 (400 ms); BigBlueButton (1000 ms)\"", "fail = 1000", 1)}, "voice.rtt_ms: has no source"},
		{"no name", []string{string(common), strings.Replace(string(bbb), "name = \"bbb\"", "", 1)}, "name, source and server_area"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var files [][]byte
			for _, f := range tt.files {
				files = append(files, []byte(f))
			}
			if _, err := decodeProfile(files...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want it to contain %q", err, tt.want)
			}
		})
	}
}

func TestProfileOverridesACommonLimit(t *testing.T) {
	common, _ := profileFiles.ReadFile("profiles/common.toml")
	own, _ := profileFiles.ReadFile("profiles/bbb.toml")
	p, err := decodeProfile(common, append(own, "\n[audio.snr_db]\nwarn = 20\nsource = \"test\"\n"...))
	if err != nil {
		t.Fatal(err)
	}
	if l := p.Audio.SNRDB; *l.Warn != 20 || *l.Fail != 10 || l.Source != "test" {
		t.Errorf("snr_db = warn %v, fail %v, source %q, want 20, 10, test", *l.Warn, *l.Fail, l.Source)
	}
}
