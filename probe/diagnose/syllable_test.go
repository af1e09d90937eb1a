package diagnose

import (
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestEveryNthSyllable(t *testing.T) {
	for pct, want := range map[float64]int{
		2.5: 40, 5: 20, 10: 10, 12: 8, 13.67: 7, 20: 5, 25: 4, 33.3: 3, 50: 2, 1: 100, 1.34: 70, 2.3: 45,
		0: 0, 0.33: 0, 80: 0, 100: 0, -1: 0, 101: 0,
	} {
		n, ok := everyNth(pct)
		if ok != (want > 0) || ok && n != want {
			t.Errorf("%g %%: got %d, %t; want %d", pct, n, ok, want)
		}
	}
}

// TestLossIsStatedInSyllables: the sentence for a loss quantifies it.
func TestLossIsStatedInSyllables(t *testing.T) {
	for lang, want := range map[phrase.Lang]string{phrase.DE: "jede 40. Silbe", phrase.EN: "one syllable in 40"} {
		for code, field := range map[string]string{"net.upload_loss": "up_loss_pct", "net.download_loss": "down_loss_pct"} {
			found := func(pct float64) string {
				text, ok := ExplainCause(report.Cause{Code: code, Evidence: []report.Evidence{
					{Probe: report.ProbeMediaVoice, Field: field, Value: pct, Unit: "%", Limit: "> 2"},
				}}, lang)
				if !ok {
					t.Fatalf("no text for %s", code)
				}
				return text.Sentence
			}
			if s := found(2.5); !strings.Contains(s, want) {
				t.Errorf("%s, %s: got %q, want it to contain %q", lang, code, s, want)
			}
			general, _ := Explain(code, lang)
			if s := found(90); s != general.Sentence {
				t.Errorf("%s, %s, 90 %%: got %q, want the general sentence", lang, code, s)
			}
		}
	}
}
