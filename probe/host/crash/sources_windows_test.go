package crash

import "testing"

// TestReportFoldersOnlyInsteadOfTheEventLog: their times are those of the report's last state, so that
// the same crash would count twice.
func TestReportFoldersOnlyInsteadOfTheEventLog(t *testing.T) {
	for _, s := range sources() {
		if s.name == "error_reports" && s.insteadOf != "event_log" {
			t.Errorf("%s is read instead of %q, want %q", s.name, s.insteadOf, "event_log")
		}
	}
}
