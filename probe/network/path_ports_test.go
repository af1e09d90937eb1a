package network

import (
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestRefusalFromNearby: a firewall that refuses in the server's name is as near
// as the own router, while the server's own answers take longer.
func TestRefusalFromNearby(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		gateway, refused, open time.Duration // 0: none
		rejected               bool
	}{
		"by the own router":                   {1 * ms, 1 * ms, 20 * ms, true},
		"by the server":                       {1 * ms, 20 * ms, 20 * ms, false},
		"by the server, and a slow answer":    {1 * ms, 20 * ms, 55 * ms, false},
		"by the server next door":             {1 * ms, 1 * ms, 2 * ms, false},
		"a router that answers no echo":       {0, 1 * ms, 20 * ms, false},
		"nothing of the server to hold it to": {1 * ms, 1 * ms, 0, false},
	} {
		tried := []*triedPort{{answer: portRefused, rtt: c.refused, needed: true}, {answer: portSilent}}
		if c.open > 0 {
			tried[1] = &triedPort{answer: portOpen, rtt: c.open}
		}
		unmaskRejection(tried, c.gateway)
		got := tried[0]
		if (got.answer == portRejected) != c.rejected || c.rejected && (got.left == nil || *got.left) {
			t.Errorf("%s: %s, left %v", name, got.answer, deref(got.left))
		}
	}
}

func TestWhoHadToDoWithAPort(t *testing.T) {
	for name, c := range map[string]struct {
		port report.PathPort
		want bool
	}{
		"open":                    {report.PathPort{Answer: portOpen}, true},
		"refused":                 {report.PathPort{Answer: portRefused}, true},
		"rejected by the own net": {report.PathPort{Answer: portRejected, Left: new(false)}, false},
		"silent":                  {report.PathPort{Answer: portSilent}, false},
		"silent, did not leave":   {report.PathPort{Answer: portSilent, Left: new(false)}, false},
		"silent, and left":        {report.PathPort{Answer: portSilent, Left: new(true)}, true},
	} {
		if got := anyoneFar([]report.PathPort{c.port}); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
