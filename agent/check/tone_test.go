package check

import (
	"context"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestAskTone(t *testing.T) {
	for name, c := range map[string]struct {
		played, answer *bool
		asked          bool
		want           report.Status
	}{
		"headphones that work":    {new(false), new(true), true, report.StatusOK},
		"nothing was heard":       {new(false), new(false), true, report.StatusUnknown},
		"no answer":               {new(false), nil, true, report.StatusUnknown},
		"never played, not asked": {nil, new(true), false, report.StatusUnknown},
	} {
		asked := false
		d := &report.AudioOutput{LoopHeard: c.played}
		results := []report.Result{{Name: report.ProbeAudioOutput, Status: report.StatusUnknown, Error: "the microphone did not hear the test sound", Data: d}}
		askTone(t.Context(), results, func(context.Context) *bool { asked = true; return c.answer })
		if asked != c.asked || results[0].Status != c.want || asked && d.ToneHeard != c.answer {
			t.Errorf("%s: got asked %v, status %s, heard %v; want %v, %s, %v", name, asked, results[0].Status, probetest.Value(d.ToneHeard), c.asked, c.want, probetest.Value(c.answer))
		}
	}
	askTone(t.Context(), []report.Result{{Data: &report.AudioOutput{LoopHeard: new(true)}}}, nil)
}
