package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// TestStatusSaysWhyChecksAreRare: the status lists the reasons for rare checks, without reasons
// that only a newer service knows.
func TestStatusSaysWhyChecksAreRare(t *testing.T) {
	next := &local.NextCheck{At: time.Date(2026, 12, 1, 18, 0, 0, 0, time.UTC)}
	for _, c := range []struct {
		lang    phrase.Lang
		sparing []local.Sparing
		want    []string
	}{
		{phrase.DE, nil, nil},
		{phrase.DE, []local.Sparing{local.SparingMetered}, []string{"getaktet"}},
		{phrase.EN, []local.Sparing{local.SparingMetered, "of_the_future", local.SparingPower}, []string{"metered", "saves power"}},
	} {
		book, err := loadTexts(c.lang)
		if err != nil {
			t.Fatal(err)
		}
		out, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		p := &program{lang: c.lang, texts: book, out: newOutput(out), getenv: func(string) string { return "" }}
		next.Sparing = c.sparing
		p.printFindings([]local.Finding{{Part: local.PartSchedule, State: local.Works, Next: next}})
		if err := p.out.close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
		if len(lines) != len(c.want)+2 { // the next check, the reasons, the microphone
			t.Fatalf("%v: got %q, want %d reasons", c.sparing, lines, len(c.want))
		}
		for i, want := range c.want {
			if !strings.Contains(lines[i+1], want) {
				t.Errorf("got %q, want it to contain %q", lines[i+1], want)
			}
		}
	}
}
