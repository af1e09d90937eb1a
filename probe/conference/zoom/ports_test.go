package zoom

import (
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestJudge: only an answer that takes about as long as one of the server shows that the
// port is open, and only one that arrives much sooner shows a firewall nearby.
func TestJudge(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		took, trip time.Duration
		opened     bool
		want       report.PortAnswer
	}{
		"refused by the server":          {20 * ms, 20 * ms, false, report.PortOpen},
		"refused by the server, later":   {90 * ms, 20 * ms, false, report.PortOpen},
		"refused by a router":            {3 * ms, 20 * ms, false, report.PortRejected},
		"refused by the provider":        {12 * ms, 20 * ms, false, report.PortSilent},
		"refused in the same building":   {1 * ms, 3 * ms, false, report.PortSilent},
		"opened by the server":           {21 * ms, 20 * ms, true, report.PortOpen},
		"opened by a transparent proxy":  {2 * ms, 20 * ms, true, report.PortSilent},
		"opened by the same building":    {1 * ms, 3 * ms, true, report.PortOpen},
		"at three quarters of the trip":  {15 * ms, 20 * ms, false, report.PortOpen},
		"just below half of the trip":    {9 * ms, 20 * ms, false, report.PortRejected},
		"at half of the trip":            {10 * ms, 20 * ms, false, report.PortSilent},
		"just below three quarters":      {14 * ms, 20 * ms, false, report.PortSilent},
		"refused at the shortest trip":   {1 * ms, leastTrip, false, report.PortRejected},
		"refused just below it, unknown": {1 * ms, leastTrip - 1, false, report.PortSilent},
	} {
		p := tried{opened: c.opened, shortest: c.took}
		if !c.opened {
			p.refused(2 * c.took) // a delayed one
			p.refused(c.took)
		}
		if p.judge(c.trip); p.answer != c.want {
			t.Errorf("%s: got %s, want %s", name, p.answer, c.want)
		}
	}
	for name, c := range map[string]struct {
		port tried
		want report.PortAnswer
	}{
		"no answer":        {tried{}, report.PortSilent},
		"its own firewall": {tried{forbidden: true}, report.PortRejected},
	} {
		if c.port.judge(20 * ms); c.port.answer != c.want {
			t.Errorf("%s: got %s, want %s", name, c.port.answer, c.want)
		}
	}
}

// TestCombine: the collector shows that a port is open, but not that it is rejected.
func TestCombine(t *testing.T) {
	const open, rejected, silent = report.PortOpen, report.PortRejected, report.PortSilent
	for _, c := range []struct{ system, control, want report.PortAnswer }{
		{open, silent, open}, {open, rejected, open}, {rejected, open, rejected}, {rejected, silent, rejected},
		{silent, open, open}, {silent, rejected, silent}, {silent, silent, silent},
	} {
		got := combine([]tried{{transport: "udp", port: 8801, answer: c.system}}, []tried{{transport: "udp", port: 8801, answer: c.control}})
		if len(got) != 1 || got[0].Answer != c.want || *got[0].Port != 8801 || got[0].Protocol != "udp" {
			t.Errorf("system %s, collector %s: got %+v, want %s", c.system, c.control, got, c.want)
		}
		if alone := combine([]tried{{transport: "udp", port: 8801, answer: c.system}}, nil); alone[0].Answer != c.system {
			t.Errorf("system %s alone: got %s", c.system, alone[0].Answer)
		}
	}
}
