//go:build unix

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// TestEnrolByInvitation checks that no file has to be copied from the
// collector to the computer, and that only a server with the key named in the
// invitation is trusted.
func TestEnrolByInvitation(t *testing.T) {
	need.Full(t, "builds both programs")
	dir := t.TempDir()
	agent, collector, data := filepath.Join(dir, "tonprobe"), filepath.Join(dir, "tonprobe-collector"), filepath.Join(dir, "server")
	for binary, of := range map[string]string{agent: ".", collector: "../tonprobe-collector"} {
		if out, err := exec.Command("go", "build", "-o", binary, of).CombinedOutput(); err != nil {
			t.Fatalf("build: %v\n%s", err, out)
		}
	}
	_, kill := serve(t, collector, data, t.Output(), "A new participant", "--metrics-listen", "off", "--support-phone", "0228 5550100")
	link := func() string {
		t.Helper()
		out, err := exec.Command(collector, "participant", "add", "Anna", "--json", "--data", data).Output()
		if err != nil {
			t.Fatal(err)
		}
		var invited struct{ Link string }
		if err := json.Unmarshal(out, &invited); err != nil || invited.Link == "" {
			t.Fatalf("%s: %v", out, err)
		}
		return invited.Link
	}
	run := func(stdin string, args ...string) (string, error) {
		c := exec.Command(agent, append(args, "--data", filepath.Join(dir, "agent"))...)
		c.Stdin = strings.NewReader(stdin)
		c.Env = append(os.Environ(), "LANG=C")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	good := link()
	other := good[:len(good)-43] + strings.Repeat("A", 43)
	if out, err := run("", "enroll", other); err == nil || !strings.Contains(out, "certificate") {
		t.Errorf("with the pin of another authority: %v\n%s", err, out)
	}
	without := good[:len(good)-44]
	if out, err := run("", "enroll", without); err == nil || !strings.Contains(out, "certificate") {
		t.Errorf("without a pin: %v\n%s", err, out)
	}
	if out, err := run("", "enroll", good); err != nil || !strings.Contains(out, "Anna") {
		t.Fatalf("the command from the invitation: %v\n%s", err, out)
	}
	// Later connections trust the collector as well, and the report arrives.
	if out, err := run("", "check", "--no-audio", "--only", "network.web", "--plain"); err != nil || !strings.Contains(out, "has been sent") || !strings.Contains(out, "Phone support: 0228 5550100") {
		t.Errorf("the first check: %v\n%s", err, out)
	}
	// From standard input, so that it is not visible in the list of processes.
	if out, err := run("\u201e"+link()+"\u201c\n", "enroll", "-"); err != nil || !strings.Contains(out, "Anna") {
		t.Errorf("from standard input: %v\n%s", err, out)
	}
	// The number is needed most when the collector is unreachable.
	kill()
	if out, _ := run("", "check", "--no-audio", "--only", "network.web", "--plain"); !strings.Contains(out, "Phone support: 0228 5550100") {
		t.Errorf("the phone number is missing:\n%s", out)
	}
	if out, err := run("", "enroll", good[:len(good)-5]); err == nil || !strings.Contains(out, "not complete") {
		t.Errorf("a truncated link: %v\n%s", err, out)
	}
}
