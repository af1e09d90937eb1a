package check

import (
	"context"

	"github.com/tonprobe/tonprobe/probe/report"
)

// askTone asks whether the test sound was heard, if it was played. No microphone
// picks up headphones: with them the person's answer is the only evidence. Without
// an answer the field stays empty.
func askTone(ctx context.Context, results []report.Result, ask func(context.Context) *bool) {
	if ask == nil {
		return
	}
	for i := range results {
		d, ok := results[i].Data.(*report.AudioOutput)
		if !ok || d == nil || d.LoopHeard == nil {
			continue
		}
		if d.ToneHeard = ask(ctx); d.ToneHeard != nil && *d.ToneHeard {
			results[i].Status, results[i].Error = report.StatusOK, ""
		}
	}
}
