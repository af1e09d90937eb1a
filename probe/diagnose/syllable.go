package diagnose

import (
	"math"
	"strconv"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Bounds within which "every n-th syllable" is more precise than
// "parts of your voice".
const (
	fewestSyllables = 2
	mostSyllables   = 100
)

// everyNth returns the n of "about every n-th syllable is lost". A share of the packets
// is the same share of the syllables, each about ten packets long, as long as losses
// come in runs. Above 10 it is rounded to multiples of 5, above 50 of 10: the interval
// of a stream of 6 s permits no more.
func everyNth(lossPct float64) (n int, ok bool) {
	if !(lossPct > 0) || lossPct > 100 {
		return 0, false
	}
	step := 1.0
	switch exact := 100 / lossPct; {
	case exact > 50:
		step = 10
	case exact > 10:
		step = 5
	}
	n = int(step * math.Round(100/lossPct/step))
	return n, n >= fewestSyllables && n <= mostSyllables
}

// syllablesIn adds that number to the placeholders of a sentence if the evidence
// contains a loss: up_loss_pct gives up_loss_every.
func syllablesIn(evidence []report.Evidence, names map[string]string) {
	for _, field := range []string{"up_loss", "down_loss"} {
		for _, e := range evidence {
			pct, isNumber := e.Value.(float64)
			if n, ok := everyNth(pct); isNumber && ok && e.Field == field+"_pct" {
				names[field+"_every"] = strconv.Itoa(n)
			}
		}
	}
}
