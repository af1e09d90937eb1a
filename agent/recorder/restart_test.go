package recorder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestKilledWithinTheFirstMinute: samples are written once a minute, so the previous run has left none.
func TestKilledWithinTheFirstMinute(t *testing.T) {
	for name, c := range map[string]struct {
		mark, want string // a mark of "now" is replaced by the time
		rebooted   bool
	}{
		"killed":                     {"now", "service_restarted", false},
		"off without a warning":      {"now", "unexpected_shutdown", true},
		"a mark of an older version": {"", "", false},
		"a damaged mark":             {"2026-11-29T1", "", false},
		"a mark of the future":       {"2999-01-01T00:00:00Z", "", false},
		"a mark that is not a time":  {strings.Repeat("9", 4096), "", false},
		"a mark of long ago":         {"1999-01-01T00:00:00Z", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				newRig(data).during(t, func() { time.Sleep(time.Second) })
				if _, _, _, err := openMark(data, time.Now()); err != nil {
					t.Fatal(err)
				}
				if c.mark != "now" {
					if err := os.WriteFile(filepath.Join(data, Folder, "running"), []byte(c.mark), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				for _, ring := range []string{sampleLayout.name, eventLayout.name} { // as if nothing had been written
					if err := os.Remove(filepath.Join(data, Folder, ring)); err != nil && !errors.Is(err, fs.ErrNotExist) {
						t.Fatal(err)
					}
				}
				time.Sleep(20 * time.Second)
				r := newRig(data)
				if c.rebooted {
					r.booted = time.Now().Add(-10 * time.Second)
				}
				r.during(t, func() { time.Sleep(3 * time.Minute) })
			})
			if events, err := Events(data, time.Time{}); kinds(events) != c.want {
				t.Errorf("got %q, %v, want %q", kinds(events), err, c.want)
			}
		})
	}
}
