//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// agent is the real program with its own data folder.
type agent struct {
	t    *testing.T
	data string
}

func (a agent) command(args ...string) *exec.Cmd {
	a.t.Helper()
	need.Full(a.t, "whole checks, or a service")
	program, err := exec.LookPath("tonprobe") // created by testscript.Main
	if err != nil {
		a.t.Fatal(err)
	}
	c := exec.Command(program, args...)
	c.Env = append(os.Environ(), "TONPROBE_DATA="+a.data, "TONPROBE_LANG=en")
	return c
}

func (a agent) run(args ...string) string {
	a.t.Helper()
	c := a.command(args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		a.t.Fatalf("tonprobe %v: %v\n%s%s", args, err, &out, &errs)
	}
	return out.String()
}

// checkUnlessBusy runs a check that sends a voice. The check is repeated if its report says that
// this computer missed its schedule, whatever the figures are. It returns the last report, what all
// checks printed, and their number.
func (a agent) checkUnlessBusy(args ...string) (r *report.Report, out, errs []byte, checks int) {
	a.t.Helper()
	const most = 8
	for checks = 1; ; checks++ {
		c := a.command(append([]string{"check", "--json", "-"}, args...)...)
		var document, log bytes.Buffer
		c.Stdout, c.Stderr = &document, &log
		failed := c.Run()
		out, errs = append(out, document.Bytes()...), append(errs, log.Bytes()...)
		var err error
		if r, err = report.Decode(document.Bytes()); err != nil {
			a.t.Fatalf("tonprobe %v: %v, %v\n%s%s", args, failed, err, &document, &log)
		}
		if checks < most && tooBusy(r) {
			a.t.Log("repeated: this computer missed its schedule, according to the check itself")
			continue
		}
		if failed != nil {
			a.t.Fatalf("tonprobe %v: %v\n%s%s", args, failed, &document, &log)
		}
		return r, out, errs, checks
	}
}

// tooBusy reports whether a check found that this computer missed the schedule of a voice.
func tooBusy(r *report.Report) bool {
	voice, call := report.Find[report.MediaVoice](r), report.Find[report.Conference](r)
	return voice != nil && voice.State == report.MediaSelfCheckVoid ||
		call != nil && call.Media != nil && call.Media.State == report.MediaSelfCheckVoid
}

// states returns the number of reports on disk by state.
func (a agent) states() map[string]int {
	a.t.Helper()
	var list struct {
		Reports []struct{ ID, State, Verdict string }
		Lost    int
	}
	if err := json.Unmarshal([]byte(a.run("report", "list", "--json")), &list); err != nil {
		a.t.Fatal(err)
	}
	states := map[string]int{}
	for _, r := range list.Reports {
		if r.Verdict == "" {
			a.t.Errorf("%s cannot be read", r.ID)
		}
		states[r.State]++
	}
	return states
}

// TestKilledBetweenSpoolAndAnswer: the agent is killed after the collector has received the
// report, but before the agent has read the response.
func TestKilledBetweenSpoolAndAnswer(t *testing.T) {
	s := &stub{stored: map[string]int{}, withhold: true, arrived: make(chan struct{}, 8)}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	a := agent{t, filepath.Join(t.TempDir(), "data")}
	a.run("enroll", "K7P3-QX9A", "--server", server.URL)

	const kills = 3
	for range kills {
		c := a.command("check", "--no-audio", "--only", "network.web")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		<-s.arrived
		if err := c.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
	}
	if got := a.states(); got["waiting"] != kills || len(got) != 1 {
		t.Fatalf("after %d kills: got %v, want only waiting: %d", kills, got, kills)
	}
	s.setWithhold(false)
	a.run("check", "--no-audio", "--only", "network.web")
	if got := a.states(); got["sent"] != kills+1 || len(got) != 1 {
		t.Errorf("at the end: got %v, want only sent: %d", got, kills+1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.stored) != kills+1 {
		t.Errorf("the collector has %d reports, want %d", len(s.stored), kills+1)
	}
	for id, n := range s.stored {
		if n > kills+1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
}

// TestKilledAtAnyTimeLeavesNoPartialFile: the agent is killed at random times during a check:
// each file that it writes is complete or does not exist.
func TestKilledAtAnyTimeLeavesNoPartialFile(t *testing.T) {
	a := agent{t, filepath.Join(t.TempDir(), "data")}
	a.run("report", "list") // creates the folders
	for i := range 12 {
		c := a.command("check", "--no-audio", "--no-upload")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(i)*12*time.Millisecond, func() { _ = c.Process.Kill() })
		_ = c.Wait()
		timer.Stop()
		a.states()
	}
	left, err := filepath.Glob(filepath.Join(a.data, "spool", ".tmp-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

func TestServiceRunsSendsAndStops(t *testing.T) {
	s := &stub{stored: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	a := agent{t, filepath.Join(t.TempDir(), "data")}
	a.run("enroll", "K7P3-QX9A", "--server", server.URL)

	c := a.command("service", "run", "--interval", "1m")
	var log bytes.Buffer
	c.Stderr = &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	for a.states()["sent"] == 0 { // limited by resident.FirstWithin and the test's timeout
		time.Sleep(50 * time.Millisecond)
	}
	// Before the end of the service, which may report an event of this computer.
	doc := a.run("report", "show", "--json")
	if !strings.Contains(doc, `"trigger":"schedule"`) || !strings.Contains(doc, `"name":"audio.input","version":1,"status":"skipped"`) {
		t.Errorf("got the scheduled report %s; want it to contain %q and %q", doc, `"trigger":"schedule"`, `"name":"audio.input","version":1,"status":"skipped"`)
	}
	second := a.command("service", "run")
	if out, err := second.CombinedOutput(); err == nil || second.ProcessState.ExitCode() != int(exitSoftware) || !strings.Contains(string(out), "already uses this data folder") {
		t.Errorf("a second service in the same folder: got %s, error %v; want status %d and %q", out, err, exitSoftware, "already uses this data folder")
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil { // also if it does not stop in time
		t.Errorf("ended with %v, want no error\n%s", err, &log)
	}
	if strings.Contains(log.String(), "secret-token") {
		t.Error("the log contains the token")
	}
}
