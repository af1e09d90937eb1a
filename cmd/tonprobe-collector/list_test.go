package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// TestListStates: a check that is too old does not count, whatever its verdict, and a
// delayed report counts from the time of its check.
func TestListStates(t *testing.T) {
	now := time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)
	since := now.Add(-24 * time.Hour)
	last := func(checked time.Time) *store.ReportSummary {
		return &store.ReportSummary{ID: "r", Case: "K7P-3QX", CheckedAt: checked, ReceivedAt: now, Verdict: report.Ready}
	}
	full := func(checked time.Time) *store.FullCheck {
		return &store.FullCheck{ReportID: "f", Verdict: report.Ready, CheckedAt: checked}
	}
	lastWeek := now.Add(-7 * 24 * time.Hour)
	for want, p := range map[string]store.ParticipantState{
		"not_enrolled":  {},
		"never_checked": {Enrolled: true},
		"ready":         {Enrolled: true, Last: last(now), Full: full(now), Verdict: report.Ready},
		"unknown":       {Enrolled: true, Last: last(now), Verdict: report.Unknown}, // never with a microphone
		"too_long_ago":  {Enrolled: true, Last: last(lastWeek), Full: full(lastWeek), Verdict: report.Ready},
		"blocked":       {Participant: store.Participant{Blocked: true}, Enrolled: true, Last: last(now), Verdict: report.Ready},
	} {
		l := listedOf(p, since)
		if l.State != want {
			t.Errorf("got state %q, want %q", l.State, want)
		}
		var out bytes.Buffer
		if err := printList(&out, []listed{l}, time.UTC); err != nil || !strings.Contains(out.String(), strings.ReplaceAll(want, "_", " ")) {
			t.Errorf("%s: %v\n%s", want, err, out.String())
		}
		if want == "too_long_ago" && !strings.Contains(out.String(), lastWeek.UTC().Format("2006-01-02 15:04")) {
			t.Errorf("the time of the check is missing:\n%s", out.String())
		}
	}
}
