package relaytest

import (
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestRelaysAreJudged: one working relay is sufficient; a relay's response has priority
// over silence.
func TestRelaysAreJudged(t *testing.T) {
	relay := func(allocated bool, permitted *bool, fault string) report.TURNRelay {
		return report.TURNRelay{Allocated: &allocated, Permitted: permitted, Error: fault}
	}
	list := List{ICEConfig: wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: []string{"turn:b"}, Username: "c", Credential: "d"}}}}
	works, denied, silent, refuses := relay(true, new(true), ""), relay(true, new(false), "denied"), relay(false, nil, "unreachable"), relay(false, nil, "auth_failed")
	for want, relays := range map[string][]report.TURNRelay{
		"ok": {silent, works}, "fail denied": {silent, denied}, "fail auth_failed": {silent, refuses}, "fail unreachable": {silent}, "unknown no_time": nil,
	} {
		o := judge(relays, list)
		if got := strings.TrimSpace(string(o.Status) + " " + o.Code); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
