package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestEventsOfTheService: the service watches a program with the name of a client, and a
// person whose own folder is empty reads the event.
func TestEventsOfTheService(t *testing.T) {
	m, _ := newServedMachine(t)
	anna := m.user("anna")
	found := func() (c report.HostCrash) {
		t.Helper()
		if err := json.Unmarshal([]byte(anna.run("events", "--json")), &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	// A program that already runs at the first scan does not count as started; its end is
	// the event then.
	watched := func(c report.HostCrash) bool {
		return slices.ContainsFunc(c.Events, func(e report.HostEvent) bool {
			return e.Program == "Zoom" && (e.Kind == report.EventClientStarted || e.Kind == report.EventClientEnded)
		})
	}
	recorderIs := func(c report.HostCrash, state string) bool {
		return slices.Contains(c.Sources, report.HostSource{Name: "recorder", State: state})
	}
	until := func(what string, done func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal(what + ": timeout")
			}
		}
	}
	until("the recorder runs", func() bool { return recorderIs(found(), "read") })
	sleep, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	zoom := filepath.Join(t.TempDir(), "zoom")
	if err := os.WriteFile(zoom, sleep, 0o700); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), zoom, "12")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.Wait() }() // otherwise it remains a zombie
	until("the event", func() bool { return watched(found()) })
	m.kill()
	// The recorded events are unknown now, which is not the same as none.
	if c := found(); !recorderIs(c, "failed") || watched(c) {
		t.Errorf("without the service: got %+v, want a recorder that failed, without the event", c)
	}
	m.start()
	if said := anna.run("events"); strings.Contains(said, "has recorded nothing") {
		t.Errorf("got output %s; want it without %q", said, "has recorded nothing")
	}
	out, _ := anna.command("check", "--no-audio", "--only", "host.crash", "--json", "-").Output()
	r, err := report.Decode(out)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if c := report.Find[report.HostCrash](r); c == nil || !recorderIs(*c, "read") || !watched(*c) {
		t.Errorf("got the report %s, want the recorded event", out)
	}
}
