package probelist

import (
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/style"
	"github.com/tonprobe/tonprobe/tui/words"
)

func view(t *testing.T, l List, width int) []string {
	w, err := words.In(phrase.EN)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(ansi.Strip(l.View(width, style.New(termenv.Ascii, false), w)), "\n")
}

func TestOrderDoesNotDependOnWhoBegins(t *testing.T) {
	var l List
	for _, name := range []string{"later.probe", report.ProbeMediaVoice, report.ProbeNAT, report.ProbeAudioInput, report.ProbeNetworkWeb} {
		l = l.Take(probe.Event{Probe: name, Kind: probe.EventStarted})
	}
	var signs []string
	for _, line := range view(t, l, 80) {
		signs = append(signs, strings.Fields(line)[1])
	}
	if got, want := strings.Join(signs, " "), "Microphone Internet Connection Transmission later.probe"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestStates(t *testing.T) {
	for status, want := range map[report.Status]string{
		report.StatusOK: "✓ Microphone  all right", report.StatusWarn: "! Microphone  with limitations",
		report.StatusFail: "✗ Microphone  has problems", report.StatusUnknown: "? Microphone  not checked",
		report.StatusSkipped: "? Microphone  skipped, not checked", "": "? Microphone  not checked",
	} {
		l := List{}.Take(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventDone, Result: &report.Result{Status: status}})
		if got := view(t, l, 80)[0]; got != want {
			t.Errorf("%q: got %q, want %q", status, got, want)
		}
	}
	l := List{}.Take(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventDone})
	if got := view(t, l, 80)[0]; !strings.HasPrefix(got, "?") {
		t.Errorf("done without a result: got %q; want it to begin with %q", got, "?")
	}
}

func TestTakeDoesNotModifyTheReceiver(t *testing.T) {
	before := List{}.Take(probe.Event{Probe: "a", Kind: probe.EventStarted})
	before.Take(probe.Event{Probe: "a", Kind: probe.EventDone})
	before.Take(probe.Event{Probe: "b"})
	if before.Len() != 1 || before.Done("a") || before.Take(probe.Event{}).Len() != 1 {
		t.Errorf("the receiver was modified: %+v", before)
	}
}

func TestLinesFit(t *testing.T) {
	l := List{}.Take(probe.Event{Probe: strings.Repeat("long", 100)})
	for width := range 60 {
		if got := view(t, l, width)[0]; lipgloss.Width(got) > width {
			t.Errorf("got %q, want at most %d cells", got, width)
		}
	}
}

// TestBriefFitsItsColumn compares the texts with BriefWidth.
func TestBriefFitsItsColumn(t *testing.T) {
	for _, lang := range phrase.Langs() {
		w, err := words.In(lang)
		if err != nil {
			t.Fatal(err)
		}
		var l List
		for _, described := range report.KnownProbes().All() {
			name := described.Name
			for _, status := range []report.Status{"", report.StatusOK, report.StatusWarn, report.StatusFail, report.StatusUnknown, report.StatusSkipped} {
				r := &report.Result{Name: name, Status: status}
				l = l.Take(probe.Event{Probe: name, Kind: probe.EventDone, Result: r})
				if got := ansi.Strip(l.Brief(1000, style.New(termenv.Ascii, false), w)); lipgloss.Width(got) > BriefWidth {
					t.Errorf("%s: got %d cells, want at most %d:\n%s", lang, lipgloss.Width(got), BriefWidth, got)
				}
			}
		}
	}
}
