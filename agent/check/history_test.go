package check

import (
	"context"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestOnlySupportGetsTheHistory: a person who starts a check has agreed only to what the
// check measures.
func TestOnlySupportGetsTheHistory(t *testing.T) {
	kept := func(_ context.Context, at time.Time) *report.HostHistory {
		return &report.HostHistory{At: at, Kind: report.EventSupportAsked}
	}
	none := func(context.Context, time.Time) *report.HostHistory { return nil }
	for _, c := range []struct {
		o    Options
		want int
	}{
		{Options{Trigger: report.TriggerSupport, History: kept}, 1},
		{Options{Trigger: report.TriggerSupport, History: none}, 0},
		{Options{Trigger: report.TriggerSupport}, 0},
		{Options{Trigger: report.TriggerCheck, History: kept}, 0},
		{Options{Trigger: report.TriggerSchedule, History: kept}, 0},
	} {
		if got := c.o.history(t.Context(), time.Now()); len(got) != c.want {
			t.Errorf("%s: got %d results, want %d", c.o.Trigger, len(got), c.want)
		}
	}
}
