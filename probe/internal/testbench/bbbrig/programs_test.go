//go:build unix

package bbbrig_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/bbbrig"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// programs are the real programs with a folder of their own, and with the certificate of
// a rig.
type programs struct {
	t                   *testing.T
	dir, roots, address string
	collector           *exec.Cmd
}

func build(t *testing.T, r *bbbrig.Rig) *programs {
	t.Helper()
	need.Full(t, "builds both programs")
	p := &programs{t: t, dir: t.TempDir()}
	p.roots = filepath.Join(p.dir, "roots.pem")
	if err := os.WriteFile(p.roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", p.dir+"/", "./cmd/tonprobe", "./cmd/tonprobe-collector")
	cmd.Dir, cmd.Env = "../../../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the programs: %v\n%s", err, out)
	}
	return p
}

// command runs a program and returns its standard output; its exit status must be
// one of statuses.
func (p *programs) command(program string, statuses []int, args ...string) []byte {
	p.t.Helper()
	cmd := exec.Command(filepath.Join(p.dir, program), args...)
	cmd.Env = append(os.Environ(), "LANG=en_US.UTF-8", "SSL_CERT_FILE="+p.roots)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if e, ok := err.(*exec.ExitError); ok || err == nil {
		status := 0
		if ok {
			status = e.ExitCode()
		}
		for _, allowed := range statuses {
			if status == allowed {
				return out.Bytes()
			}
		}
	}
	p.t.Fatalf("%s %s: %v\n%s%s", program, args[0], err, out.String(), errs.String())
	return nil
}

// serve starts the collector.
func (p *programs) serve() {
	p.t.Helper()
	p.collector = exec.Command(filepath.Join(p.dir, "tonprobe-collector"), "serve", "--data", filepath.Join(p.dir, "collector"),
		"--listen", "127.0.0.1:0", "--stun-listen", "127.0.0.1:0", "--media-listen", "127.0.0.1:0", "--behind-proxy")
	p.collector.Env = append(os.Environ(), "SSL_CERT_FILE="+p.roots)
	p.collector.Stderr = p.t.Output()
	out, err := p.collector.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.collector.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = p.collector.Process.Kill(); _ = p.collector.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, at, ok := strings.Cut(lines.Text(), "is ready: "); ok {
			p.address = at
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	p.t.Fatal("the collector did not print its address")
}

// TestPrograms: the collector creates a test meeting with the target's secret, and
// the agent receives its own voice back through the server, without access to the
// secret: from the echo, or with LiveKit from its own second participant. The meeting
// ends with the collector.
func TestPrograms(t *testing.T) {
	const secret = "639259d4-9dd8-4b25-bf01-95f9567eaf4b"
	rigs := map[string]*bbbrig.Rig{
		"Rathaus": bbbrig.Start(t, bbbrig.Config{Secret: secret, Hash: "sha1"}),
		"Altbau":  bbbrig.Start(t, bbbrig.Config{Secret: secret, Version: "2.7", HideVersion: true}),
		"Neubau":  bbbrig.Start(t, bbbrig.Config{Secret: secret, Version: "4.0"}),
	}
	p := build(t, rigs["Rathaus"])
	p.serve()
	file := filepath.Join(p.dir, "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	collector, agent := filepath.Join(p.dir, "collector"), filepath.Join(p.dir, "agent")
	for name, r := range rigs {
		p.command("tonprobe-collector", []int{0}, "target", "add", name, "--system", "bbb", "--url", r.URL, "--secret-file", file, "--data", collector)
	}
	var invited struct{ Code string }
	if err := json.Unmarshal(p.command("tonprobe-collector", []int{0}, "participant", "add", "Anna Beispiel", "--json", "--data", collector), &invited); err != nil {
		t.Fatal(err)
	}
	p.command("tonprobe", []int{0}, "enroll", invited.Code, "--server", p.address, "--data", agent)
	for name, r := range rigs {
		// Status 3: the conference alone is not sufficient for "ready".
		out := p.command("tonprobe", []int{3}, "check", "--target", name, "--only", "conference", "--no-audio", "--no-upload", "--json", "-", "--ca", p.roots, "--data", agent)
		heard(t, name, out)
		if !r.Left(8 * time.Second) {
			t.Errorf("%s: left behind: %+v, want nothing", name, r.Count())
		}
		wanted := bbbrig.Count{Joins: 1, Echoes: 1, Meetings: 1}
		if name == "Neubau" {
			wanted = bbbrig.Count{Joins: 2, Tracks: 1, Meetings: 1}
		}
		if c := r.Count(); c != wanted {
			t.Errorf("%s: got %+v, want %+v", name, c, wanted)
		}
		noSecrets(t, agent, out, secret)
	}
	if err := p.collector.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = p.collector.Wait()
	for name, r := range rigs {
		if c := r.Count(); c.Meetings != 0 {
			t.Errorf("%s: %d meetings are left after the collector ended", name, c.Meetings)
		}
	}
}

// heard checks that according to a report the sound of its conference server works, and
// that the report has no cause.
func heard(t *testing.T, name string, out []byte) {
	t.Helper()
	got, err := report.Decode(out)
	if err != nil {
		t.Fatal(err)
	}
	var found *report.Conference
	for _, probed := range got.Probes {
		if c, ok := probed.Data.(*report.Conference); ok {
			found = c
		}
	}
	if found == nil {
		t.Fatalf("%s: no conference system in the report: %s", name, out)
	}
	for _, step := range []report.ConferenceStep{report.StepSignIn, report.StepState, report.StepSignalling, report.StepCall, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown} {
		if c, _ := found.Check(step); c.Status != report.StatusOK {
			t.Errorf("%s: step %s: got %s %s; want %s", name, step, c.Status, c.Code, report.StatusOK)
		}
	}
	if len(got.Causes) > 0 {
		t.Errorf("%s: got causes %+v for a healthy server, want none", name, got.Causes)
	}
}

// TestTargetTest runs all steps of a target test from the collector's machine, and checks
// that the output contains no secret.
func TestTargetTest(t *testing.T) {
	const secret = "639259d4-9dd8-4b25-bf01-95f9567eaf4b"
	p := build(t, bbbrig.Start(t, bbbrig.Config{})) // the certificate of all servers is the same
	for name, c := range map[string]struct {
		config   bbbrig.Config
		args     []string
		status   int
		steps    string // of the client, with their status
		calls    int
		meetings bool
	}{
		"healthy": {bbbrig.Config{Hash: "sha1"}, nil, 0, "sign_in ok, state ok, signalling ok, call ok, path ok, keys ok, sound_up ok, sound_down ok", 1, true},
		"LiveKit": {bbbrig.Config{Version: "4.0"}, nil, 0, "sign_in ok, state ok, signalling ok, call ok, path ok, keys ok, sound_up ok, sound_down ok", 0, true},
		"no call": {bbbrig.Config{Hash: "sha1"}, []string{"--no-call"}, 0, "sign_in unknown, state ok, signalling ok, call unknown", 0, false},
		"refuses": {bbbrig.Config{Hash: "sha1", Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.Call: bbbrig.Refuses}}, nil, 70, "signalling ok, call fail, path unknown", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.Secret = secret
			r := bbbrig.Start(t, c.config)
			collector := t.TempDir()
			file := filepath.Join(collector, "secret")
			if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
				t.Fatal(err)
			}
			p.command("tonprobe-collector", []int{0}, "target", "add", "Rathaus", "--system", "bbb", "--url", r.URL, "--secret-file", file, "--hash", "sha1", "--data", collector)
			args := append([]string{"target", "test", "Rathaus", "--verbose", "--data", collector}, c.args...)
			text := p.command("tonprobe-collector", []int{c.status}, args...)
			t.Logf("output:\n%s", text)
			out := p.command("tonprobe-collector", []int{c.status}, append(args, "--json")...)
			for _, shown := range [][]byte{text, out} {
				for _, word := range []string{secret, "checksum", "sessionToken", "JSESSIONID"} {
					if bytes.Contains(shown, []byte(word)) {
						t.Errorf("the output contains %s: %s", word, shown)
					}
				}
			}
			var got struct {
				Steps      []struct{ Name, Status string }
				Conference *report.Conference
			}
			if err := json.Unmarshal(out, &got); err != nil || got.Conference == nil {
				t.Fatalf("got error %v for the output %s", err, out)
			}
			for want := range strings.SplitSeq(c.steps, ", ") {
				name, status, _ := strings.Cut(want, " ")
				if step, _ := got.Conference.Check(report.ConferenceStep(name)); string(step.Status) != status {
					t.Errorf("%s: got %s %s, want %s", name, step.Status, step.Code, status)
				}
			}
			made := 0
			for _, s := range got.Steps {
				if s.Status != "ok" {
					t.Errorf("got step %+v, want ok", s)
				}
				if s.Name == "create" || s.Name == "end" {
					made++
				}
			}
			if (made == 2) != c.meetings {
				t.Errorf("got steps %+v", got.Steps)
			}
			if !r.Left(8 * time.Second) {
				t.Errorf("left behind: %+v, want nothing", r.Count())
			}
			// Once for the text, once for the JSON.
			if n := r.Count(); n.Meetings != 0 || n.Rooms != 0 || n.Echoes != 2*c.calls {
				t.Errorf("got %+v, want no meetings and rooms, and %d echoes", n, 2*c.calls)
			}
		})
	}
}

// noSecrets checks that neither the report nor the agent's data contains a secret. The
// last word is the beginning of a LiveKit token.
func noSecrets(t *testing.T, agent string, out []byte, secret string) {
	t.Helper()
	for _, word := range []string{secret, "checksum", "sessionToken", "eyJhbGci"} {
		if bytes.Contains(out, []byte(word)) {
			t.Errorf("the report contains %s", word)
		}
		err := filepath.WalkDir(agent, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if bytes.Contains(b, []byte(word)) {
				t.Errorf("%[2]s contains %[1]s", word, filepath.Base(path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
