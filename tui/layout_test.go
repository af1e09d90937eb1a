package tui

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// hostile contains device names that could disturb the screen.
var hostile = []string{
	"\x1b[2J\x1b[31mred\x1b[0m", "\x1b]0;title\x07name", "\x9b31mC1", "line\nbreak\r\n\ttab", "\u202etxet desrever\u202c",
	"\u2066isolate\u2069\u200b\u200d\ufeff", strings.Repeat("very long ", 4000), strings.Repeat("語", 3000), "👩‍👩‍👧‍👦 family 🎤",
	"Z" + strings.Repeat("\u0301", 500) + "algo", "\xff\xfe\x00broken", "", "   ", "<script>alert(1)</script>", "{name} {text}",
}

// checkLayout verifies the properties that every view must have.
func checkLayout(t *testing.T, s *stand, what string) {
	t.Helper()
	view := s.View()
	w, h := s.sheet.Width, s.sheet.Height
	if lipgloss.Height(view) > h {
		t.Errorf("%s at %d x %d: got %d lines, want at most %[3]d", what, w, h, lipgloss.Height(view))
	}
	for line := range strings.SplitSeq(view, "\n") {
		if lipgloss.Width(line) > w {
			t.Errorf("%s at %d x %d: got %d cells, want at most %[2]d: %[5]q", what, w, h, lipgloss.Width(line), line)
		}
	}
	if strings.Contains(view, "‹") {
		t.Errorf("%s: missing text in\n%s", what, view)
	}
	for _, r := range ansi.Strip(view) {
		if r != '\n' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069) {
			t.Errorf("%s at %d x %d: control character %U", what, w, h, r)
		}
	}
}

func TestViewFitsTheScreen(t *testing.T) {
	random, sizes := rand.New(rand.NewPCG(1, 2)), 60
	if need.Short() {
		sizes = 10
	}
	for _, scene := range scenes {
		for _, color := range []bool{true, false} {
			s := newStand(t, phrase.DE, color, scene.with)
			scene.play(t, s)
			for w := 1; w <= 30; w++ {
				s.size(w, 1+random.IntN(30))
				checkLayout(t, s, scene.name)
			}
			for range sizes {
				s.size(1+random.IntN(220), 1+random.IntN(70))
				checkLayout(t, s, scene.name)
			}
		}
	}
}

func TestHostileNames(t *testing.T) {
	var mics []Microphone
	for _, name := range hostile {
		mics = append(mics, Microphone{Name: name, IsBluetooth: true}, Microphone{Name: name, IsDefault: true})
	}
	for _, size := range [][2]int{{80, 24}, {60, 20}, {20, 8}, {3, 3}} {
		s := newStand(t, phrase.DE, true, nil)
		s.size(size[0], size[1]).send(devicesMsg{mics}).press("enter")
		for range mics {
			s.press("up")
		}
		for range mics {
			checkLayout(t, s, "devices")
			s.press("down")
		}
	}
	for _, name := range hostile {
		s := newStand(t, phrase.EN, false, func(o *Options) { o.Consent.Recipient = name })
		checkLayout(t, s.size(60, 20), "welcome")

		r := finished(t, func(rs []report.Result) {
			muted(rs)
			rs[0].Data.(*report.AudioInput).Device = name
			rs[1].Status, rs[1].Error = report.StatusUnknown, name
		})
		r.Case, r.Profile = name, name
		r.Probes = append(r.Probes, report.Result{Name: name, Status: report.Status(name)})
		r.Causes = append(r.Causes, report.Cause{Code: name, Severity: report.Severity(name), Area: report.Area(name),
			Evidence: []report.Evidence{{Probe: name, Field: name, Value: name, Unit: name, Limit: name}}})
		s = newStand(t, phrase.EN, true, nil)
		s.size(60, 20).answered(r, Delivery(name))
		checkLayout(t, s, "verdict")
		s.press("d")
		for range 40 {
			checkLayout(t, s, "details")
			s.press("down")
		}
		s = newStand(t, phrase.DE, true, nil)
		s.press("enter").send(checkedMsg{number: 0, err: errors.New(name)})
		checkLayout(t, s, "fatal")
	}
}

func TestHostileEventsAreShownCleanly(t *testing.T) {
	s := newStand(t, phrase.DE, true, nil)
	s.size(60, 20).press("enter")
	for _, name := range hostile {
		s.event(time.Second, doneEvent(report.Result{Name: name, Status: "nonsense"}))
		checkLayout(t, s, "checking")
	}
}

func TestEssentialsAreOnEveryScreen(t *testing.T) {
	for _, lang := range phrase.Langs() {
		for _, size := range [][2]int{{80, 24}, {60, 20}, {40, 16}, {200, 60}} {
			for _, with := range []func([]report.Result){nil, muted, lossy, unmeasured} {
				s := newStand(t, lang, true, nil)
				r := finished(t, with)
				s.size(size[0], size[1]).answered(r, DeliverySent)
				flat := strings.Join(strings.Fields(ansi.Strip(s.View())), " ")
				a := s.words.Answer(r)
				for _, sentence := range []string{a.Headline, a.Cause, a.Action} {
					words := strings.Fields(sentence)
					if !strings.Contains(flat, words[0]) || !strings.Contains(strings.ReplaceAll(flat, "- ", "-"), words[len(words)-1]) {
						t.Errorf("%s %v: %q is missing in:\n%s", lang, size, sentence, s.View())
					}
				}
				if s.sheet.Height < 20 && !strings.Contains(flat, "K 7 P - 3 Q X") {
					t.Errorf("%s %v: no case code:\n%s", lang, size, s.View())
				}
			}
		}
	}
}

// TestColorsDoNotChangeTheLayout compares which lines are blank, because the level
// bar has other signs without colours.
func TestColorsDoNotChangeTheLayout(t *testing.T) {
	blank := func(view string) (pattern string) {
		for line := range strings.SplitSeq(ansi.Strip(view), "\n") {
			if strings.TrimSpace(line) == "" {
				pattern += "_"
			} else {
				pattern += "x"
			}
		}
		return pattern
	}
	for _, scene := range scenes {
		for _, lang := range phrase.Langs() {
			var patterns []string
			for _, size := range [][2]int{{80, 24}, {120, 40}, {60, 18}, {40, 10}} {
				for _, color := range []bool{false, true} {
					s := newStand(t, lang, color, scene.with)
					s.size(size[0], size[1])
					scene.play(t, s)
					patterns = append(patterns, blank(s.View()))
				}
				if n := len(patterns); patterns[n-1] != patterns[n-2] {
					t.Errorf("%s %s at %v: blank lines %s with colours, %s without", scene.name, lang, size, patterns[n-1], patterns[n-2])
				}
			}
		}
	}
}
