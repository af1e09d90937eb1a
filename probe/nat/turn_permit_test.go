package nat

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// TestCoturnPermissions: a real relay that grants an allocation can deny the peer.
func TestCoturnPermissions(t *testing.T) {
	denying := []string{"--denied-peer-ip=10.0.0.0-10.255.255.255"}
	behind := coturnWith(t, denying, "127.0.0.1")
	front := coturnWith(t, []string{fmt.Sprintf("--alternate-server=127.0.0.1:%d", behind)}, "127.0.0.1")
	for name, c := range map[string]struct {
		port                 int
		password, peer       string
		allocated, permitted string
		fault                string
	}{
		"granted":                {behind, "b", "192.0.2.7", "true", "true", ""},
		"an IPv4-mapped address": {behind, "b", "::ffff:192.0.2.7", "true", "true", ""},
		"denied":                 {behind, "b", "10.1.2.3", "true", "false", "denied"},
		"denied behind another":  {front, "b", "10.1.2.3", "true", "false", "denied"},
		"the other family":       {behind, "b", "2001:db8::1", "true", "unknown", ""},
		"expired credentials":    {behind, "guess", "192.0.2.7", "false", "unknown", "auth_failed"},
		"no relay":               {1, "b", "192.0.2.7", "false", "unknown", "unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			at := fmt.Sprintf("127.0.0.1:%d", c.port)
			list := wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: []string{"turn:" + at, "turn:" + at + "?transport=tcp"}, Username: "a", Credential: c.password}}}
			got, _ := Permissions(t.Context(), probetest.Env(t), TURNConfig{}, list, netip.MustParseAddr(c.peer))
			if len(got) != 2 {
				t.Fatalf("got %d relays, want 2: %+v", len(got), got)
			}
			for _, r := range got {
				if boolText(r.Allocated) != c.allocated || boolText(r.Permitted) != c.permitted || r.Error != c.fault || (r.Redirected != nil) != (c.port == front) {
					t.Errorf("%s: got allocated %s, permitted %s, error %q, redirected %v; want %s, %s, %q, %v", r.Transport, boolText(r.Allocated), boolText(r.Permitted), r.Error, r.Redirected != nil, c.allocated, c.permitted, c.fault, c.port == front)
				}
			}
		})
	}
}

func boolText(b *bool) string {
	if b == nil {
		return "unknown"
	}
	return fmt.Sprint(*b)
}
