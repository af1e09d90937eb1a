//go:build unix

package main

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// sound is a PulseAudio server whose only microphone receives speech.
type sound struct {
	t   *testing.T
	env []string
}

func startSound(t *testing.T) sound {
	t.Helper()
	need.Programs(t, "pulseaudio", "pactl", "paplay")
	dir, err := os.MkdirTemp("", "tonprobe-sound") // the path of a socket is limited to 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "native")
	s := sound{t, []string{"PULSE_SERVER=unix:" + socket, "HOME=" + dir, "XDG_RUNTIME_DIR=" + dir}}
	s.start(s.command("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
		"-L", "module-native-protocol-unix auth-anonymous=1 socket="+socket,
		"-L", "module-null-sink sink_name=mouth rate=48000 channels=1",
		"-L", "module-remap-source master=mouth.monitor source_name=mic source_properties=device.description=Headset"))
	probetest.Until(t, "PulseAudio", func() bool { return s.command("pactl", "info").Run() == nil })
	speaking := s.command("paplay", "--raw", "--format=s16le", "--rate=48000", "--channels=1", "--device=mouth")
	speaking.Stdin = &endless{sound: syllables()}
	s.start(speaking)
	return s
}

// endless repeats a sound.
type endless struct {
	sound []byte
	at    int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.sound[e.at:])
	e.at = (e.at + n) % len(e.sound)
	return n, nil
}

// syllables returns two seconds of a buzz of 120 Hz that is switched on and off like the syllables of a
// sentence.
func syllables() []byte {
	const rate = 48000
	var b []byte
	for i := range 2 * rate {
		at := float64(i) / rate
		envelope := max(0, math.Sin(2*math.Pi*2.5*at))
		value := 0.0
		for k := 1.0; k <= 25; k++ {
			value += math.Sin(2*math.Pi*120*k*at) / k
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(4000*envelope*value)))
	}
	return b
}

func (s sound) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), s.env...)
	return c
}

func (s sound) start(c *exec.Cmd) {
	s.t.Helper()
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
}

// recorded reports whether a program records from the microphone.
func (s sound) recorded() bool {
	s.t.Helper()
	out, err := s.command("pactl", "list", "source-outputs").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Contains(string(out), "application.process.id") // the remap source has none
}

// TestRetestWithTheMicrophone: phone support requests a check with the microphone from a computer with
// a service. The program of the signed-in person asks each time, and records only after their consent.
func TestRetestWithTheMicrophone(t *testing.T) {
	heard := startSound(t)
	m, _ := newServedMachine(t)
	c := startCollector(t)
	anna := m.user("anna")
	anna.run("enroll", c.invite(t), "--server", c.url)
	d := c.signIn(t)
	s := anna.onScreenWith(append([]string{"TONPROBE_SOCKET=" + anna.socket}, heard.env...))
	s.wait("Can they hear me?")
	d.wait(">connected<")

	d.request("full")
	s.wait("Use the microphone?")
	if heard.recorded() {
		t.Error("the microphone is used before the consent")
	}
	s.answer("y", "Use the microphone?")
	d.wait("<meter")
	d.wait("The new check is finished.")
	s.wait("case code")

	// The next request is not covered by this consent.
	d.request("full")
	s.wait("Use the microphone?")
	s.answer("n", "Use the microphone?")
	d.wait("The person said no.")
	if heard.recorded() {
		t.Error("the microphone is used after a refusal")
	}

	r := anna.supportReport()
	input := report.Find[report.AudioInput](r)
	if input == nil || input.State != report.CaptureComplete || input.ActiveLevelDBFS == nil {
		t.Errorf("got %+v, want a complete recording with the level of the voice", input)
	}
	if link := regexp.MustCompile(`/reports/` + r.ID).FindString(d.get(d.participant)); link == "" {
		t.Errorf("the page of the participant has no link to report %s", r.ID)
	}
}

// supportReport returns the only report that phone support has requested.
func (p person) supportReport() *report.Report {
	p.t.Helper()
	var list struct {
		Reports []struct{ ID, Trigger string }
	}
	if err := json.Unmarshal([]byte(p.run("report", "list", "--json")), &list); err != nil {
		p.t.Fatal(err)
	}
	var found *report.Report
	for _, e := range list.Reports {
		if e.Trigger != string(report.TriggerSupport) {
			continue
		}
		r, err := report.Decode([]byte(p.run("report", "show", e.ID, "--json")))
		if err != nil || found != nil {
			p.t.Fatalf("%v, or more than one report of support: %+v", err, list)
		}
		found = r
	}
	if found == nil {
		p.t.Fatalf("no report of support: %+v", list)
	}
	return found
}
