package diagnose_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

const ownText = `source = "IT-Ausschuss, 3. November 2026"

[voice.rtt_ms]
warn = 300
source = "gemessen im Ratssaal"

[link]
up_kbps = { warn = 800, fail = 200, source = "Kamera aller Fraktionen" }
`

func TestOwnProfile(t *testing.T) {
	p, err := diagnose.ParseProfile("rathaus", []byte(ownText))
	if err != nil {
		t.Fatal(err)
	}
	base := profile(t, "bbb")
	if p.Name != "rathaus" || p.BasedOn != "bbb" || *p.Voice.RTTMS.Warn != 300 || *p.Voice.RTTMS.Fail != *base.Voice.RTTMS.Fail ||
		*p.Link.UpKbps.Fail != 200 || p.ServerArea != base.ServerArea || !reflect.DeepEqual(p.Audio, base.Audio) {
		t.Errorf("got %+v, want bbb with the changed limits only", p)
	}
	changed := p.Changed()
	var names []string
	for _, c := range changed.Changed {
		names = append(names, c.Name)
	}
	if changed.Base != "bbb" || !slices.Equal(names, []string{"link.up_kbps", "voice.rtt_ms"}) {
		t.Errorf("got changes %+v, want link.up_kbps and voice.rtt_ms over bbb", changed)
	}
	// The limits that a report contains yield the same profile again.
	again := diagnose.ProfileOf(&report.Report{Profile: "rathaus", Limits: changed})
	if again.Source = p.Source; !reflect.DeepEqual(again, p) {
		t.Errorf("got %+v, want %+v", again, p)
	}
	if p, err := diagnose.ParseProfile("zoom", []byte(`source = "x"`)); err != nil || p.BasedOn != "zoom" || p.ServerArea != report.AreaProvider || len(p.Changed().Changed) != 0 {
		t.Errorf("a file that replaces a shipped one: got %+v, error %v, want zoom without changes", p, err)
	}
	if profile(t, "bbb").Changed() != nil {
		t.Error("a shipped profile has changed limits")
	}
}

// TestOwnProfileIsRefused: each mistake is reported with its line.
func TestOwnProfileIsRefused(t *testing.T) {
	const head = "source = \"x\"\n"
	for name, c := range map[string]struct {
		name, text string
		line       int
		want       string
	}{
		"an unknown table":         {"a", head + "[voice.speed]\nwarn = 1\nsource = \"x\"", 2, "there is no key"},
		"a misspelled key":         {"a", head + "\n[voice.rtt_ms]\nwran = 1\nsource = \"x\"", 4, "there is no key voice.rtt_ms.wran"},
		"broken TOML":              {"a", head + "\nvoice = [", 3, ""},
		"text for a number":        {"a", head + "[voice.rtt_ms]\nwarn = \"300\"", 3, ""},
		"no source of the limit":   {"a", head + "[voice.rtt_ms]\nwarn = 300", 2, "voice.rtt_ms: source is missing"},
		"an empty source":          {"a", head + "[voice.rtt_ms]\nwarn = 300\nsource = \" \"", 2, "source is missing"},
		"no source at all":         {"a", "[voice.rtt_ms]\nwarn = 300\nsource = \"x\"", 0, "source is missing"},
		"no values":                {"a", head + "[voice.rtt_ms]\nsource = \"x\"", 2, "neither warn nor fail"},
		"negative time":            {"a", head + "\n\nvoice.rtt_ms = { warn = -1, source = \"x\" }", 4, "-1 is impossible: it must be from 0"},
		"more than 100 %":          {"a", head + "[voice.up_loss_pct]\nwarn = 101\nsource = \"x\"", 2, "from 0 to 100"},
		"not a number":             {"a", head + "[voice.up_loss_pct]\nwarn = nan\nsource = \"x\"", 2, "impossible"},
		"infinite":                 {"a", head + "[voice.loss_certain_pct]\nvalue = inf\nsource = \"x\"", 2, "impossible"},
		"warning after failure":    {"a", head + "[voice.rtt_ms]\nwarn = 2000\nsource = \"x\"", 2, "warn (2000) must be below fail (1000)"},
		"reversed limits":          {"a", head + "[link.up_kbps]\nwarn = 10\nfail = 20\nsource = \"x\"", 2, "warn (10) must be above fail (20)"},
		"the same twice":           {"a", head + "[voice.rtt_ms]\nwarn = 5\nfail = 5\nsource = \"x\"", 2, "must be below"},
		"an unknown base":          {"a", head + "based_on = \"teams\"", 2, "choose one of bbb, daily, strict, zoom"},
		"its own base":             {"a", head + "based_on = \"a\"", 2, "based_on names no shipped profile"},
		"a name unlike the file's": {"a", "name = \"b\"\n" + head, 1, "the file is called a.toml"},
		"an unknown server area":   {"a", head + "server_area = \"the moon\"", 2, "server_area"},
		"a name with a path":       {"../a", head, 0, "cannot be the name"},
		"a reserved name":          {"common", head, 0, "cannot be the name"},
		"a huge file":              {"a", head + strings.Repeat("#", diagnose.MaxProfileBytes), 0, "at most 8192"},
		"an array instead":         {"a", head + "[[voice.rtt_ms]]\nwarn = 1", 2, ""},
		"a key that is set twice":  {"a", head + head, 2, ""},
	} {
		_, err := diagnose.ParseProfile(c.name, []byte(c.text))
		e, ok := errors.AsType[*diagnose.ProfileError](err)
		if !ok || e.Line != c.line || !strings.Contains(e.Problem, c.want) || e.Problem == "" {
			t.Errorf("%s: got error %v, want line %d: %s", name, err, c.line, c.want)
		}
	}
	// An agent of an older version uses the keys that it knows.
	p, err := diagnose.AdoptProfile("a", []byte(head+"[voice.speed]\nwarn = 1\n[voice.rtt_ms]\nwarn = 300\nsource = \"x\""))
	if err != nil || *p.Voice.RTTMS.Warn != 300 {
		t.Errorf("got error %v and limits %+v, want 300 ms", err, p.Voice.RTTMS)
	}
}

func TestReadProfiles(t *testing.T) {
	dir := fstest.MapFS{"rathaus.toml": {Data: []byte(ownText)}, "bbb.toml": {Data: []byte(ownText)}, "README": {}, "sub/x.toml": {Data: []byte("broken")}}
	all, err := diagnose.ReadProfiles(dir)
	if err != nil || !slices.Equal(all.Names(), []string{"bbb", "daily", "rathaus", "strict", "zoom"}) {
		t.Fatalf("got %v, error %v; want the shipped profiles and rathaus", all.Names(), err)
	}
	p, err := all.Load("bbb")
	if err != nil || *p.Voice.RTTMS.Warn != 300 {
		t.Errorf("the custom file does not replace the shipped one: error %v", err)
	}
	if text, own := all.Own("rathaus"); !own || text != ownText {
		t.Errorf("Own(rathaus) = %q, want the text of the file", text)
	}
	if _, own := all.Own("zoom"); own {
		t.Error("Own(zoom) reports an own profile")
	}
	if _, err := all.Load("nonsense"); err == nil || !strings.Contains(err.Error(), "rathaus") {
		t.Errorf("got error %v, want one that lists rathaus", err)
	}
	dir["a.toml"], dir["b.toml"] = &fstest.MapFile{Data: []byte("x")}, &fstest.MapFile{Data: []byte("source = 1")}
	if _, err := diagnose.ReadProfiles(dir); err == nil || !strings.Contains(err.Error(), "a.toml, line 1") || !strings.Contains(err.Error(), "b.toml, line 1") {
		t.Errorf("got error %v, want one that lists both mistakes", err)
	}
	many := fstest.MapFS{}
	for i := range diagnose.MaxOwnProfiles + 1 {
		many[fmt.Sprintf("p%d.toml", i)] = &fstest.MapFile{Data: []byte(`source = "x"`)}
	}
	if _, err := diagnose.ReadProfiles(many); err == nil {
		t.Error("too many profiles were accepted")
	}
}

// TestProfileOfForeignReports: limits that no version of this program has written cause
// no failure.
func TestProfileOfForeignReports(t *testing.T) {
	base := profile(t, "bbb")
	for _, l := range []*report.ProfileLimits{
		nil, {}, {Base: "unknown"},
		{Base: "bbb", Changed: []report.ChangedLimit{{Name: "voice"}, {Name: ""}, {Name: "voice.speed"}, {Name: "audio.speech_min_ms"}, {Name: "name.x"}}},
	} {
		p := diagnose.ProfileOf(&report.Report{Profile: "unknown", Limits: l})
		if !reflect.DeepEqual(p.Voice, base.Voice) || !reflect.DeepEqual(p.Audio, base.Audio) {
			t.Errorf("got %+v, want the limits of the base", l)
		}
	}
	if p := diagnose.ProfileOf(&report.Report{Profile: "zoom"}); p.Name != "zoom" {
		t.Errorf("got profile %s, want zoom", p.Name)
	}
}

func FuzzParseProfile(f *testing.F) {
	f.Add(ownText)
	f.Add("voice.rtt_ms.warn = 3\n[[a]]\nb = {c.d = 1}\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := diagnose.ParseProfile("a", []byte(text))
		if err != nil {
			return
		}
		again := diagnose.ProfileOf(&report.Report{Profile: "a", Limits: p.Changed()})
		if !reflect.DeepEqual(again.Voice.RTTMS.Warn, p.Voice.RTTMS.Warn) {
			t.Errorf("%q: got a warning from %v on after encoding, want %v", text, probetest.Value(again.Voice.RTTMS.Warn), probetest.Value(p.Voice.RTTMS.Warn))
		}
	})
}
