package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase/phrasetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// asDemo makes the test binary run as the demo.
const asDemo = "TONPROBE_TEST_AS_DEMO"

func TestMain(m *testing.M) {
	if os.Getenv(asDemo) != "" || slices.Contains(os.Args[1:], audio.ChildArg) {
		main()
	}
	os.Exit(m.Run())
}

// demo runs the program and returns its exit status and output.
func demo(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	need.Full(t, "whole checks")
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asDemo+"=1", "LC_ALL=C", "TMPDIR="+t.TempDir())
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	if e := cmd.Run(); e != nil && cmd.ProcessState == nil {
		t.Fatalf("run the demo: %v", e)
	}
	return cmd.ProcessState.ExitCode(), out.String(), err.String()
}

func TestPrintsOnlyAValidReport(t *testing.T) {
	var r *report.Report
	var status int
	var stderr string
	const runs = 4
	for n := 1; ; n++ {
		var stdout string
		status, stdout, stderr = demo(t, "--once", "--json", "-", "--no-audio", "--speak-seconds", "2")
		var err error
		if r, err = report.Decode([]byte(stdout)); err != nil {
			t.Fatalf("standard output is not a report: %v\n%s", err, stdout)
		}
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
		if m := report.Find[report.MediaVoice](r); m == nil || m.State != report.MediaSelfCheckVoid || n == runs {
			break
		}
		t.Log("repeated: this computer missed its schedule, according to the check itself")
	}
	if r.Verdict != report.Ready || status != 0 {
		t.Errorf("got verdict %s, status %d on loopback without a microphone; want ready, 0\n%s", r.Verdict, status, stderr)
	}
	if m := report.Find[report.MediaVoice](r); m == nil || m.State != report.MediaComplete {
		t.Errorf("the voice stream did not complete: %+v", m)
	}
	if !strings.Contains(stderr, r.Case[:3]) {
		t.Errorf("standard error does not contain the case code %s:\n%s", r.Case, stderr)
	}
}

func TestLeavesNoFiles(t *testing.T) {
	need.Full(t, "whole checks")
	dir := t.TempDir()
	file := filepath.Join(dir, "report.json")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "--once", "--no-audio", "--speak-seconds", "1", "--json", file)
	tmp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), asDemo+"=1", "TMPDIR="+tmp)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil || !json.Valid(b) {
		t.Errorf("--json FILE: %v", err)
	}
	left, err := os.ReadDir(tmp)
	if err != nil || len(left) != 0 {
		t.Errorf("files are left: %v %v", left, err)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"--nonsense"}, {"surplus"}, {"--speak-seconds", "-1"}, {"--speak-seconds", "x"}, {"--lang", "tlh"}} {
		status, stdout, stderr := demo(t, args...)
		if status != exitUsage || stdout != "" || !strings.Contains(stderr, "--once") {
			t.Errorf("%q: got status %d, stdout %q, stderr %q; want %d, none, containing %q", args, status, stdout, stderr, exitUsage, "--once")
		}
	}
	if status, stdout, _ := demo(t, "--help"); status != 0 || !strings.Contains(stdout, "--once") {
		t.Errorf("--help: got status %d, %q; want 0, containing %q", status, stdout, "--once")
	}
}

func TestTextsAgree(t *testing.T) {
	phrasetest.Books(t, loadTexts)
}
