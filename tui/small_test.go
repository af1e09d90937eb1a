package tui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/tui/page"
)

// small contains sizes of real windows: a phone's terminal, a split screen.
var small = [][2]int{{40, 10}, {40, 16}, {60, 20}, {80, 24}}

// flat returns a text without line breaks.
func flat(text string) string { return strings.Join(strings.Fields(ansi.Strip(text)), " ") }

// TestSmallWindowsCutNoSentence: a sentence that begins on the screen ends there,
// or the page indicates that it continues and can be scrolled to its end.
func TestSmallWindowsCutNoSentence(t *testing.T) {
	for _, lang := range longTexts() {
		for _, scene := range scenes {
			for _, size := range small {
				t.Run(fmt.Sprintf("%s/%s/%dx%d", lang, scene.name, size[0], size[1]), func(t *testing.T) {
					whole := newStand(t, lang, false, scene.with)
					scene.play(t, whole)
					whole.size(size[0], 33) // the largest size that does not count as a large screen
					s := newStand(t, lang, false, scene.with)
					s.size(size[0], size[1])
					scene.play(t, s)
					checkLayout(t, s, scene.name)
					if s.stage == detailing {
						return // always scrolls, and its keys say so
					}
					if !strings.ContainsAny(s.View(), page.SignAbove+page.SignBelow) {
						wholeSentences(t, whole.View(), s.View())
						return
					}
					scrollThrough(t, s, whole.View())
				})
			}
		}
	}
}

// longTexts returns the languages, with -short only German, whose texts are the longest.
func longTexts() []phrase.Lang {
	if need.Short() {
		return []phrase.Lang{phrase.DE}
	}
	return phrase.Langs()
}

// wholeSentences checks that shown contains each sentence of all either completely
// or not at all.
func wholeSentences(t *testing.T, all, shown string) {
	t.Helper()
	shown = flat(shown)
	for block := range strings.SplitSeq(ansi.Strip(all), "\n\n") {
		if strings.Contains(block, "│") || strings.Contains(block, "─") {
			continue // two columns, or a box
		}
		for sentence := range strings.SplitAfterSeq(flat(block), ". ") {
			sentence = strings.TrimSpace(sentence)
			words := strings.Fields(sentence)
			if len(words) < 4 || strings.Contains(sentence, "[") {
				continue
			}
			if strings.Contains(shown, strings.Join(words[:3], " ")) && !strings.Contains(shown, sentence) {
				t.Errorf("the sentence %q is cut off:\n%s", sentence, shown)
			}
		}
	}
}

// scrollThrough scrolls to the end of a page and checks that all its content was
// shown and the keys did not move.
func scrollThrough(t *testing.T, s *stand, whole string) {
	t.Helper()
	if !strings.Contains(s.View(), page.SignBelow) || strings.Contains(s.View(), page.SignAbove) {
		t.Fatalf("the page starts in the middle:\n%s", s.View())
	}
	lines := strings.Split(ansi.Strip(s.View()), "\n")
	text := lines[:signLine(lines)]
	for range 100 {
		before := s.View()
		if s.press("down"); s.View() == before {
			break
		}
		checkLayout(t, s, "scrolled")
		lines = strings.Split(ansi.Strip(s.View()), "\n")
		text = append(text, lines[signLine(lines)-1])
	}
	if strings.Contains(s.View(), page.SignBelow) || !strings.Contains(s.View(), page.SignAbove) {
		t.Errorf("scrolling does not reach the end:\n%s", s.View())
	}
	wholeSentences(t, whole, strings.Join(append(text, lines[signLine(lines)+1:]...), "\n"))
}

func signLine(lines []string) int {
	for i, line := range lines {
		if strings.ContainsAny(line, page.SignAbove+page.SignBelow) {
			return i
		}
	}
	return len(lines)
}

func TestCodeAndLevelStayOnSmallWindows(t *testing.T) {
	for _, lang := range longTexts() {
		for _, scene := range scenes {
			for _, size := range small {
				s := newStand(t, lang, false, scene.with)
				s.size(size[0], size[1])
				scene.play(t, s)
				view := ansi.Strip(s.View())
				for range 3 {
					switch {
					case s.stage == answering && !strings.ContainsAny(view, "█▀") && !strings.Contains(view, "K 7 P - 3 Q X") && !strings.Contains(view, "K7P-3QX"):
						t.Errorf("%s %s %v: the case code is missing:\n%s", lang, scene.name, size, view)
					case s.stage == checking && !s.desk.options.Consent.NoAudio && !strings.Contains(view, s.words.T("zone.good")):
						t.Errorf("%s %s %v: the level is missing:\n%s", lang, scene.name, size, view)
					}
					view = ansi.Strip(s.press("down").View())
				}
			}
		}
	}
}

// TestAnotherTextStartsAtItsTop: on a small screen, the address and a problem are read from their
// beginning, although the question before was scrolled.
func TestAnotherTextStartsAtItsTop(t *testing.T) {
	s := newStand(t, phrase.DE, false, offersEnrolment)
	s.size(40, 9).press("k7p3-qx9a-2m4b", "down", "down")
	if s.sheet.Scroll == 0 {
		t.Fatalf("the page does not scroll:\n%s", s.View())
	}
	if s.enter(); s.sheet.Scroll != 0 || !strings.Contains(flat(s.View()), "Für welchen Prüf-Server") {
		t.Errorf("the address page is scrolled by %d:\n%s", s.sheet.Scroll, s.View())
	}
	if s.press("down", "esc"); s.sheet.Scroll != 0 || !strings.Contains(flat(s.View()), "Diesen Computer einrichten") {
		t.Errorf("the code page is scrolled by %d:\n%s", s.sheet.Scroll, s.View())
	}
	s.press("down", "down", "x")
	if s.enter(); s.enrol.Problem == "" || s.sheet.Scroll != 0 {
		t.Errorf("the problem page is scrolled by %d:\n%s", s.sheet.Scroll, s.View())
	}
}
