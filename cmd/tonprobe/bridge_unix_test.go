//go:build unix

package main

import (
	"strings"
	"testing"
)

// TestRetestsThroughTheService: phone support requests checks from a computer with a service. The
// service has the only connection, and the programs of two people show the requests.
func TestRetestsThroughTheService(t *testing.T) {
	m, _ := newServedMachine(t)
	c := startCollector(t)
	anna, bert := m.user("anna"), m.user("bert")
	anna.run("enroll", c.invite(t), "--server", c.url)
	d := c.signIn(t)
	d.wait("Only the background service is running")

	// No program is open, and nothing is permitted in advance.
	for _, what := range []string{"network", "full"} {
		d.request(what)
		d.wait("Nobody can be asked")
	}

	first := anna.onScreen("--no-audio")
	first.wait("Can they hear me?")
	d.wait(">connected<")
	d.request("network")
	first.wait("Phone support (Frau Weber) is asking for a new check.")
	first.answer("n", "is asking for a new check")
	d.wait("The person said no.")

	// The program that was opened last is asked, and the other one is not.
	second := bert.onScreen("--no-audio")
	second.wait("Can they hear me?")
	d.request("network")
	second.wait("Check the line?")
	if got := first.tmux("capture-pane", "-p"); strings.Contains(got, "is asking for a new check") {
		t.Errorf("got a question on both screens, want it on one:\n%s", got)
	}
	second.answer("y", "Check the line?")
	d.wait("Running")
	d.wait("The new check is finished.")
	second.wait("case code")
	// Not the newest one, which may be that of an event on the machine of the test.
	if got := anna.run("report", "list", "--json"); !strings.Contains(strings.ReplaceAll(got, " ", ""), `"trigger":"support"`) {
		t.Errorf("got %.400s, want the report of support", got)
	}

	// The program is closed while it asks: the other person is asked.
	d.request("network")
	second.wait("Check the line?")
	second.tmux("kill-server")
	first.wait("Check the line?")
	first.answer("a", "Check the line?") // and permits it in advance
	d.wait("Running")
	d.wait("The new check is finished.")
	first.wait("case code")
	if got := bert.run("permission"); !strings.Contains(got, "may check the line") {
		t.Errorf("got %q, want the permission of the service", got)
	}

	// Permitted in advance: no program is open, and the service checks the line.
	first.tmux("kill-server")
	d.wait("Only the background service is running")
	d.request("network")
	d.wait("Running")
	d.wait("The new check is finished.")
	d.request("full")
	d.wait("Nobody can be asked")
	bert.run("permission", "withdraw")
	d.request("network")
	d.wait("Nobody can be asked")
}
