package nat_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// TestRefusedPermissions: only 403 means that the relay denies the peer. The others have
// reasons that the list of denied networks does not contain.
func TestRefusedPermissions(t *testing.T) {
	const always = 1000
	r, _ := collector(t)
	list := r.ICE("anna", "127.0.0.1")
	server := nat.RelayAddresses(one(relayURLs(list)["udp"]))[0][len("udp "):]
	for name, c := range map[string]struct {
		refusal stun.Setter
		times   int
		fault   string
	}{
		"granted":            {nil, 0, ""},
		"stale nonce, once":  {stun.CodeStaleNonce, 1, ""},
		"forbidden":          {stun.CodeForbidden, always, "denied"},
		"stale nonce":        {stun.CodeStaleNonce, always, "auth_failed"},
		"unauthorized":       {stun.CodeUnauthorized, always, "auth_failed"},
		"wrong credentials":  {stun.CodeWrongCredentials, always, "auth_failed"},
		"quota":              {stun.CodeAllocQuotaReached, always, "quota"},
		"no capacity":        {stun.CodeInsufficientCapacity, always, "quota"},
		"bad request":        {stun.CodeBadRequest, always, "other"},
		"no allocation":      {stun.CodeAllocMismatch, always, "other"},
		"an error, no code":  {stun.NewSoftware("x"), always, "other"},
		"nothing (no reply)": {nil, always, "silent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := refusingProxy(t, server, stun.MethodCreatePermission, c.times, c.refusal)
			got, _ := nat.Permissions(t.Context(), probetest.Env(t), nat.TURNConfig{Timers: nat.Timers{RTO: 100 * time.Millisecond, Rc: 4, Rm: 4}}, wire.ICEConfig{ICEServers: []wire.ICEServer{
				{URLs: []string{"turn:" + at}, Username: list.ICEServers[1].Username, Credential: list.ICEServers[1].Credential},
			}}, netip.MustParseAddr("127.0.0.1"))
			if len(got) != 1 || got[0].Allocated == nil || !*got[0].Allocated {
				t.Fatalf("got %+v, want one relay that is allocated", got)
			}
			if c.fault == "silent" {
				if got[0].Permitted != nil || got[0].Error != "" {
					t.Errorf("got permitted %v, error %q, want neither", got[0].Permitted, got[0].Error)
				}
				return
			}
			if got[0].Permitted == nil || *got[0].Permitted != (c.fault == "") || got[0].Error != c.fault {
				t.Errorf("got permitted %v, error %q, want error %q", got[0].Permitted, got[0].Error, c.fault)
			}
		})
	}
}
