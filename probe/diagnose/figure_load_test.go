package diagnose

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// loadOnly returns a check with media.load only.
func loadOnly(d *report.MediaLoad) *report.Report {
	return &report.Report{Probes: []report.Result{{Name: report.ProbeMediaLoad, Status: report.StatusOK, Data: d}}}
}

func fastLine() *report.MediaLoad {
	return &report.MediaLoad{
		UpKbps: new(12345.0), DownKbps: new(48000.0),
		IdleRTTMS: new(21.4), LoadedRTTUpMS: new(40.0), LoadedRTTDownMS: new(33.0),
	}
}

// TestLoadAlone: a check with media.load only has a verdict and figures.
func TestLoadAlone(t *testing.T) {
	p, err := LoadProfile(DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*report.MediaLoad)
		want   report.Verdict
		says   int
	}{
		"all well":         {func(*report.MediaLoad) {}, report.Ready, 2},
		"too narrow":       {func(d *report.MediaLoad) { d.UpKbps = new(40.0) }, report.NotReady, 2},
		"half measured":    {func(d *report.MediaLoad) { d.DownKbps = nil }, report.Unknown, 1},
		"no round trips":   {func(d *report.MediaLoad) { d.LoadedRTTUpMS = nil }, report.Unknown, 1},
		"nothing measured": {func(d *report.MediaLoad) { *d = report.MediaLoad{} }, report.Unknown, 0},
	} {
		d := fastLine()
		c.change(d)
		r := loadOnly(d)
		Finish(r, p)
		if r.Verdict != c.want {
			t.Errorf("%s: verdict %s, want %s", name, r.Verdict, c.want)
		}
		if got := (Glossary{}).In(phrase.DE).Summary(r); len(got) != c.says {
			t.Errorf("%s: got summary %q, want %d sentences", name, got, c.says)
		}
	}
}

func TestSummaryTellsTheLoad(t *testing.T) {
	for lang, want := range map[phrase.Lang][]string{
		phrase.DE: {"Gemessen: 12,3\u00a0Mbit/s beim Senden, 48\u00a0Mbit/s beim Empfangen.", "Eine Antwort braucht 21,4\u00a0ms; ist die Leitung voll, 40\u00a0ms beim Senden und 33\u00a0ms beim Empfangen."},
		phrase.EN: {"Measured: 12.3\u00a0Mbit/s sending, 48\u00a0Mbit/s receiving.", "A response takes 21.4\u00a0ms; under load, 40\u00a0ms while sending and 33\u00a0ms while receiving."},
	} {
		if got := (Glossary{}).In(lang).Summary(loadOnly(fastLine())); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", lang, got, want)
		}
	}
	if got := (Glossary{}).In(phrase.DE).Summary(&report.Report{}); got != nil {
		t.Errorf("without the probe: got %q, want nil", got)
	}
}
