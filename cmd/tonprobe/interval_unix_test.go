//go:build unix

package main

import (
	"bufio"
	"path/filepath"
	"strings"
	"testing"
)

// TestIntervalOfAnOlderUnit: a unit of a version with another default does not keep that interval.
func TestIntervalOfAnOlderUnit(t *testing.T) {
	for argument, want := range map[string]string{formerIntervalArgument: "2h0m0s", "900s": "15m0s", "15m": "15m0s", "30m0s": "30m0s"} {
		a := agent{t, filepath.Join(t.TempDir(), "data")}
		c := a.command("service", "run", "--interval", argument)
		out, err := c.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		found := ""
		for lines := bufio.NewScanner(out); found == "" && lines.Scan(); {
			if _, rest, ok := strings.Cut(lines.Text(), "msg=started interval="); ok {
				found = rest
			}
		}
		_ = c.Process.Kill()
		_ = c.Wait()
		if found != want {
			t.Errorf("--interval %s: got %q, want %s", argument, found, want)
		}
	}
}
