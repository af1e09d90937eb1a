package tui

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// docScreens are the scenes that the documentation shows, by the name of their file.
var docScreens = map[string]string{"welcome": "welcome", "speaking": "speaking", "verdict-ready": "replay_kept", "verdict-muted": "phone"}

// TestDocScreens compares the screens in docs/screens, and the one in the README, with what the
// program draws, so that the documentation never shows an earlier version.
func TestDocScreens(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for file, name := range docScreens {
		i := slices.IndexFunc(scenes, func(s scene) bool { return s.name == name })
		if i < 0 {
			t.Fatalf("there is no scene %q", name)
		}
		for _, lang := range phrase.Langs() {
			s := newStand(t, lang, true, scenes[i].with)
			s.size(80, 24)
			scenes[i].play(t, s)
			screen := withoutStyle(s.View())
			goldenFile(t, filepath.Join("../docs/screens", file+"-"+string(lang)+".txt"), screen)
			if file == "verdict-muted" && lang == phrase.EN && !strings.Contains(string(readme), strings.TrimSpace(screen)) {
				t.Errorf("the screen in README.md differs from docs/screens/%s-%s.txt", file, lang)
			}
		}
	}
}

// withoutStyle returns the text of a screen, without trailing spaces.
func withoutStyle(view string) string {
	lines := strings.Split(ansi.Strip(view), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}
