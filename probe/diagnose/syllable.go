package diagnose

import (
	"math"
	"strconv"

	"github.com/tonprobe/tonprobe/probe/report"
)

// syllableWords are the bounds within which "every n-th syllable" says more than
// "parts of your voice".
const (
	fewestSyllables = 2
	mostSyllables   = 100
)

// everyNth turns a loss into the figure of "about every n-th syllable is lost":
// a share of the packets is the same share of the syllables, each of which is
// some ten packets long, as long as losses come in runs, and is what the ear
// makes of it. Beyond 10 it is rounded to fives, beyond 50 to tens: the interval
// of a stream of 6 s allows no more.
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

// syllablesIn adds the figure to the names of a sentence where the evidence holds
// a loss: up_loss_pct gives up_loss_every.
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
