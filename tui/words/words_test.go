package words

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

func in(t testing.TB, lang phrase.Lang) Words {
	w, err := In(lang)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAloud(t *testing.T) {
	de, en := in(t, phrase.DE), in(t, phrase.EN)
	for _, tc := range []struct {
		w          Words
		line, want string
	}{
		{de, "Lautstärke im System: -60\u00a0dB (Grenze: < -20)", "Lautstärke im System: minus 60 Dezibel (Grenze: < minus 20)"},
		{de, "Verlust: 7,5\u00a0% (Grenze: > 5)", "Verlust: 7,5 Prozent (Grenze: > 5)"},
		{de, "Zeit: 21.5 ms", "Zeit: 21.5 Millisekunden"},
		{de, "Pegel: −42,3 dBFS", "Pegel: minus 42,3 Dezibel"},
		{en, "Rate: 8000 Hz", "Rate: 8000 hertz"},
		{en, "WLAN-5 GHz, covid-19, 3 mst", "WLAN-5 GHz, covid-19, 3 mst"},
		{en, "", ""},
	} {
		if got := tc.w.Aloud(tc.line); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.line, got, tc.want)
		}
	}
}

func TestSpell(t *testing.T) {
	if got, want := in(t, phrase.DE).Spell("K7P-3QX"), "K wie Köln, sieben, P wie Potsdam, drei, Q wie Quickborn, X wie Xanten"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, lang := range phrase.Langs() {
		for _, r := range "0123456789ABCDEFGHJKMNPQRSTVWXYZ" { // Crockford's base32
			if got := in(t, lang).Spell(string(r)); got == "" || strings.Contains(got, "‹") {
				t.Errorf("%s %q: got %q; want non-empty, without %q", lang, r, got, "‹")
			}
		}
	}
}

func TestEveryStateHasAWord(t *testing.T) {
	for _, lang := range phrase.Langs() {
		w := in(t, lang)
		unknown := w.State(report.StatusUnknown)
		for _, s := range []report.Status{report.StatusOK, report.StatusWarn, report.StatusFail, report.StatusSkipped} {
			if got := w.State(s); got == unknown || strings.Contains(got, "‹") {
				t.Errorf("%s %s: got %q; want other than %q, without %q", lang, s, got, unknown, "‹")
			}
		}
		if w.State("new") != unknown {
			t.Error("an unknown state has another text than unknown")
		}
		for _, d := range Deliveries() {
			if w.Delivery(d) == "" {
				t.Errorf("%s: no text for %s", lang, d)
			}
		}
		if w.Delivery("nonsense") != "" {
			t.Error("got a text for an unknown outcome")
		}
	}
}

// TestFourTransportsAreFourRows: each of the four transports has a row, and an untested one is
// not shown as good.
func TestFourTransportsAreFourRows(t *testing.T) {
	r := &report.Report{Probes: []report.Result{
		{Name: report.ProbeNAT, Status: report.StatusWarn, Data: &report.NAT{UDP: report.ReachBlocked, TCP: report.ReachOpen}},
		{Name: report.ProbeNATTURN, Status: report.StatusOK, Data: &report.NATTURN{
			Transports: new(3), UDPAllocated: new(false), UDPError: "unreachable", TCPAllocated: new(true), TCPRelayed: new(true),
		}},
	}}
	got := in(t, phrase.DE).Measured(r)[1].Lines
	want := []string{
		"Direkt (UDP): gesperrt", "Umweg über den Vermittler, UDP: gesperrt",
		"Umweg über den Vermittler, TCP: geht", "Umweg über den Vermittler, TLS: nicht geprüft",
	}
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnmeasuredIsNotShownAsZero(t *testing.T) {
	w := in(t, phrase.DE)
	r := &report.Report{Verdict: report.Unknown, Probes: []report.Result{
		{Name: report.ProbeNAT, Status: report.StatusOK, Data: &report.NAT{UDP: report.ReachOpen}},
		{Name: report.ProbeMediaVoice, Status: report.StatusUnknown},
		{Name: report.ProbeAudioInput, Status: report.StatusOK, Data: &report.AudioInput{PeakDBFS: new(math.NaN())}},
	}}
	all := w.Measured(r)
	if got := all[0].Lines; !slices.ContainsFunc(got, func(l string) bool { return strings.HasSuffix(l, "nicht geprüft") }) {
		t.Errorf("nat: got %q, want a line that ends with nicht geprüft", got)
	}
	for _, i := range []int{1, 2} {
		if got := all[i].Lines; len(got) != 1 || got[0] != w.T("details.no_data") {
			t.Errorf("%s: got %q; want 1 entry, [0] %v", r.Probes[i].Name, got, w.T("details.no_data"))
		}
	}
	if got := w.Answer(r).Untested; got != "Nicht geprüft: Übertragung der Sprache." {
		t.Errorf("untested: got %q, want %q", got, "Nicht geprüft: Übertragung der Sprache.")
	}
}

func TestAnswerWithoutACause(t *testing.T) {
	w := in(t, phrase.DE)
	for v, want := range map[report.Verdict]string{
		report.Ready: "verdict.nothing_found", report.Unknown: "verdict.incomplete", report.NotReady: "verdict.incomplete", "new": "verdict.incomplete",
	} {
		if a := w.Answer(&report.Report{Verdict: v}); a.Cause != w.T(want) || a.Headline == "" || a.Action == "" {
			t.Errorf("%s: got %+v; want Cause %v, Headline set, Action set", v, a, w.T(want))
		}
	}
	a := w.Answer(&report.Report{Verdict: report.NotReady, Causes: []report.Cause{
		{Code: "audio.from_the_future", Primary: true}, {Code: "x"}, {Code: "y"}}})
	if a.Cause != w.T("verdict.incomplete") || a.More != "Dazu kommen zwei weitere Hinweise." {
		t.Errorf("an unknown cause: got %+v; want Cause %v, More %q", a, w.T("verdict.incomplete"), "Dazu kommen zwei weitere Hinweise.")
	}
}

func TestSummaryIsWrittenInOneGo(t *testing.T) {
	var b bytes.Buffer
	r := &report.Report{Case: "K7P-3QX", Verdict: report.Ready, StartedAt: time.Unix(0, 0)}
	if err := Summary(&b, r, phrase.EN); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "Result: ") || !strings.Contains(b.String(), "K7P-3QX") || !strings.HasSuffix(b.String(), "\n") {
		t.Errorf("got %q; want it to begin with %q, containing %q, ending with %q", b.String(), "Result: ", "K7P-3QX", "\n")
	}
	if err := Summary(&b, r, "fr"); err == nil {
		t.Error("got a language without texts")
	}
}

// TestSummaryNamesEveryCause: a remark that is counted must be listed too.
func TestSummaryNamesEveryCause(t *testing.T) {
	r := &report.Report{Case: "K7P-3QX", Verdict: report.NotReady, Causes: []report.Cause{
		{Code: "audio.os_muted", Severity: report.SeverityFail, Primary: true},
		{Code: "net.vpn_active", Severity: report.SeverityInfo, Evidence: []report.Evidence{
			{Probe: report.ProbeNetworkLink, Field: "vpn", Value: true},
		}},
	}}
	for _, lang := range phrase.Langs() {
		said := strings.Join(in(t, lang).Summary(r), "\n")
		for _, c := range r.Causes {
			text, ok := diagnose.Explain(c.Code, lang)
			if !ok || strings.Count(said, text.Sentence) != 1 {
				t.Errorf("%s: %q is not contained once in\n%s", lang, text.Sentence, said)
			}
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"\x1b[31mx", "\u202ex", "a\nb", strings.Repeat("語", 100), "\xff", "e" + strings.Repeat("\u0301", 50)} {
		f.Add(s, 20)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		width = int(uint(width) % 200)
		got := Clean(s, width)
		if !utf8.ValidString(got) || lipgloss.Width(got) > width {
			t.Errorf("%q has %d cells, want at most %d", got, lipgloss.Width(got), width)
		}
		for _, r := range got {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == '\u2028' {
				t.Errorf("%q contains %U", got, r)
			}
		}
	})
}

// TestProbesHaveNames: each probe has a name, including planned ones.
func TestProbesHaveNames(t *testing.T) {
	names := []string{
		"conference.bbb", "conference.zoom", "conference.youtube", "conference.livekit", "conference.janus", "conference.whip",
		"host.load", "host.crash",
	}
	for _, p := range report.KnownProbes().All() {
		names = append(names, p.Name)
	}
	for _, lang := range phrase.Langs() {
		w := in(t, lang)
		for _, name := range names {
			if w.Probe(name) == name || w.BriefProbe(name) == name || len([]rune(w.BriefProbe(name))) > 12 {
				t.Errorf("%s: %s has the name %q, in short %q", lang, name, w.Probe(name), w.BriefProbe(name))
			}
		}
	}
}

// TestUnneededProbesAreNotMissing: if the server runs on this computer there is no network in
// between, so the network probes are not listed as missing.
func TestUnneededProbesAreNotMissing(t *testing.T) {
	w := in(t, phrase.DE)
	r := &report.Report{Verdict: report.Unknown, Probes: []report.Result{
		{Name: report.ProbeNetworkLink, Status: report.StatusSkipped},
		{Name: report.ProbeNetworkPath, Status: report.StatusSkipped},
		{Name: report.ProbeAudioInput, Status: report.StatusSkipped},
	}}
	if got, want := w.Answer(r).Untested, "Nicht geprüft: "+w.Probe(report.ProbeAudioInput)+"."; got != want {
		t.Errorf("untested: got %q, want %q", got, want)
	}
}

// TestAnswerIncludesTheLoad: if only the load was measured, its values are shown with the
// verdict.
func TestAnswerIncludesTheLoad(t *testing.T) {
	r := &report.Report{Verdict: report.Ready, Probes: []report.Result{{Name: report.ProbeMediaLoad, Status: report.StatusOK,
		Data: &report.MediaLoad{UpKbps: new(10_060.0), DownKbps: new(52_340.0)}}}}
	if got, want := in(t, phrase.DE).Answer(r).Measured, "Gemessen: 10,1\u00a0Mbit/s beim Senden, 52,3\u00a0Mbit/s beim Empfangen."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := in(t, phrase.DE).Answer(&report.Report{}).Measured; got != "" {
		t.Errorf("no probe requested: got %q, want none", got)
	}
}

// TestOnlyTheComputer: repeating a check of the computer alone would not help.
func TestOnlyTheComputer(t *testing.T) {
	w := in(t, phrase.DE)
	of := func(crash report.HostCrash, causes ...report.Cause) *report.Report {
		return &report.Report{Verdict: report.Unknown, Causes: causes, Probes: []report.Result{
			{Name: report.ProbeAudioInput, Status: report.StatusSkipped},
			{Name: report.ProbeHostCrash, Status: report.StatusOK, Data: &crash},
		}}
	}
	for want, r := range map[string]*report.Report{
		w.T("verdict.computer"):        of(report.HostCrash{}),
		w.T("verdict.computer_partly"): of(report.HostCrash{Sources: []report.HostSource{{Name: "journal", State: "failed"}}}),
		"Das Programm Zoom ist vor kurzem abgestürzt.": of(report.HostCrash{}, report.Cause{
			Code: "host.client_crashed", Evidence: []report.Evidence{{Probe: report.ProbeHostCrash, Field: "events.program", Value: "Zoom"}}}),
	} {
		if a := w.Answer(r); a.Cause != want || a.More != "" || a.Action == w.T("verdict.incomplete_action") {
			t.Errorf("got %+v, want %q", a, want)
		}
	}
}
