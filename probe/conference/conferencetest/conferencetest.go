// Package conferencetest compares the steps of a conference check in tests.
package conferencetest

import (
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Want compares steps with their expected results: "ok", "fail 503", "unknown
// needs_link".
func Want(t testing.TB, c *report.Conference, steps map[report.ConferenceStep]string) {
	t.Helper()
	for name, want := range steps {
		got := "missing"
		if step, ok := c.Check(name); ok {
			got = strings.TrimSpace(string(step.Status) + " " + step.Code)
		}
		if got != want {
			t.Errorf("step %s: %s, want %s", name, got, want)
		}
	}
}
