package diagnose

import (
	"math"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// LoadText says in sentences what media.load measured, for whoever asked for it;
// nil where it is not part of the report or has no figures. Rates are told in
// Mbit/s, as providers tell them.
func LoadText(r *report.Report, lang phrase.Lang) (sentences []string) {
	load := report.Find[report.MediaLoad](r)
	if load == nil {
		return nil
	}
	b := book(lang)
	up, haveUp := number(load.UpKbps)
	down, haveDown := number(load.DownKbps)
	if haveUp && haveDown {
		sentences = append(sentences, b.T("load.rates", "up", megabits(up, lang), "down", megabits(down, lang)))
	}
	idle, haveIdle := number(load.IdleRTTMS)
	loadedUp, haveLoadedUp := number(load.LoadedRTTUpMS)
	loadedDown, haveLoadedDown := number(load.LoadedRTTDownMS)
	if haveIdle && haveLoadedUp && haveLoadedDown {
		sentences = append(sentences, b.T("load.round_trips",
			"idle", ValueText(idle, "ms", lang), "up", ValueText(loadedUp, "ms", lang), "down", ValueText(loadedDown, "ms", lang)))
	}
	return sentences
}

// megabits keeps a tenth: the next run differs by more.
func megabits(kbps float64, lang phrase.Lang) string {
	return ValueText(math.Round(kbps/100)/10, "Mbit/s", lang)
}
