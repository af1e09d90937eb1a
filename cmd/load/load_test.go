package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"

	"github.com/tonprobe/tonprobe/cmd/load/reflector"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == reflector.ChildArg { // the command starts itself
		os.Exit(reflector.Child(os.Args[2:], os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// round runs a command and returns its output.
func round(t *testing.T, want int, args ...string) string {
	t.Helper()
	if want == 0 {
		need.Full(t, "a round of load")
	}
	var out, errs bytes.Buffer
	if got := run(t.Context(), args, &out, &errs); got != want {
		t.Fatalf("load %v: exit status %d, want %d\n%s%s", args, got, want, &out, &errs)
	}
	return out.String() + errs.String()
}

func wantLines(t *testing.T, out string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(`(?m)^` + p + `$`).MatchString(out) {
			t.Errorf("no line matches %q in:\n%s", p, out)
		}
	}
}

func TestUsage(t *testing.T) {
	round(t, 2)
	round(t, 2, "nonsense")
	round(t, 2, "reports", "-batch", "0")
	round(t, 2, "reflector", "-flood", "nonsense")
}

func TestChannel(t *testing.T) {
	wantLines(t, round(t, 0, "channel", "-agents", "20", "-settle", "0s"), `connected +20 of 20 over TLS in .*`, `pings +[0-9.]+ s .*`)
	round(t, 2, "channel", "-agents", "0")
}

func TestReports(t *testing.T) {
	dir := t.TempDir()
	args := []string{"reports", "-keep", dir, "-participants", "7", "-reports", "30", "-senders", "3", "-batch", "5", "-batched", "20", "-single", "9", "-pages", "1"}
	wantLines(t, round(t, 0, args...),
		`database +7 participants, 30 reports`,
		`participant: p50, p95, max; CPU +[0-9.]+, .*`,
		`in batches of 5 +[0-9]+ reports/s \(20 in .*`,
		`one by one +[0-9]+ reports/s \(9 in .*`,
		`acknowledged, of these lost +29, 0`,
		`deliveries that failed +0`)
	wantLines(t, round(t, 0, args...), `acknowledged, of these lost +29, 0`) // from the stored database
	wantLines(t, round(t, 2, "reports", "-keep", dir, "-participants", "8", "-batched", "20", "-single", "9"), `load: .* contains 7 participants.*`)
}

func TestReportsOnPostgres(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte(pgtest.Database(t)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"reports", "-database-url-file", file, "-participants", "7", "-reports", "30", "-senders", "3", "-batch", "5", "-batched", "20", "-single", "9", "-pages", "1"}
	wantLines(t, round(t, 0, args...),
		`database +7 participants, 30 reports`,
		`acknowledged, of these lost +29, 0`,
		`deliveries that failed +0`)
	wantLines(t, round(t, 2, args...), `load: .*the database is not empty`)
}

func TestReflector(t *testing.T) {
	out := round(t, 0, "reflector", "-streams", "3", "-for", "1s", "-flood", "junk")
	wantLines(t, out, `streams +3, .*`, `lost by the reflector +0`)
}

func TestPionInPlaceOfTheReflector(t *testing.T) {
	out := round(t, 0, "reflector", "-streams", "3", "-for", "1s", "-pion")
	wantLines(t, out, `streams +3, .*`, `lost by the reflector +0`)
	round(t, 2, "reflector", "-pion", "-flood", "junk")
}

func TestKill(t *testing.T) {
	// Only the moment "acknowledged, not yet read" waits for the kill. On a busy computer an agent
	// may have ended before the others.
	wantLines(t, round(t, 0, "kill", "-collector", "2", "-agent", "6"),
		`collector killed, of these while starting +2, [0-9]+`,
		`acknowledged and lost +0`,
		`stored twice +0`,
		`agent killed +[1-6]`,
		`  acknowledged, not yet read +0, 1, 0`,
		`on the agent's disk, but lost +0`)
}

func TestDisk(t *testing.T) {
	need.Root(t, "small disks")
	if runtime.GOOS != "linux" {
		need.Lack(t, "Linux", errors.ErrUnsupported)
	}
	// The command starts itself in a mount namespace.
	program := filepath.Join(t.TempDir(), "load")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), program, "disk").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wantLines(t, string(out),
		`other responses on a full disk +0`,
		`reported as ready on a full disk +0`,
		`acknowledged and lost +0`,
		`neither sent nor stored without an error +0`)
}
