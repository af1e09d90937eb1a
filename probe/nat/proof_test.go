package nat

import (
	"net/netip"
	"testing"

	"github.com/pion/stun/v2"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// TestProof checks that the credentials are those of the relay on the same host and
// port.
func TestProof(t *testing.T) {
	all := serversOf(wire.ICEConfig{ICEServers: []wire.ICEServer{
		{URLs: []string{"stun:a.example", "stun:b.example:19302"}},
		{URLs: []string{"turns:a.example:443", "turn:a.example?transport=udp", "turn:a.example?transport=tcp"}, Username: "1:anna", Credential: "secret"},
		{URLs: []string{"turn:b.example:3478"}, Username: "1:bert", Credential: "other"},
	}})
	if len(all) != 2 || all[0].proof != (credentials{"1:anna", "secret"}) || all[1].proof != (credentials{}) {
		t.Fatalf("got %+v; want 2 entries, [0].proof %v, [1].proof %v", all, (credentials{"1:anna", "secret"}), (credentials{}))
	}
	if s := all[1].proof.setters(); s != nil {
		t.Errorf("got a signature without credentials: %v", s)
	}
	m := stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.BindingRequest}, all[0].proof.setters()...)...)
	if err := stun.NewShortTermIntegrity("secret").Check(m); err != nil {
		t.Error(err)
	}
}

// TestRequestIsAsLongAsItsResponse: only then our reflector responds in full.
func TestRequestIsAsLongAsItsResponse(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:3478", "[2001:db8::1]:3478"} {
		to := netip.MustParseAddrPort(addr)
		request, err := bindingRequest(transactionID{}, roomFor(to))
		if err != nil {
			t.Fatal(err)
		}
		ip := to.Addr().AsSlice()
		answer := stun.MustBuild(stun.BindingSuccess, &stun.XORMappedAddress{IP: ip}, &stun.MappedAddress{IP: ip},
			&stun.ResponseOrigin{IP: ip}, &stun.OtherAddress{IP: ip}, stun.Fingerprint)
		if len(request) != len(answer.Raw) {
			t.Errorf("%s: got a request of %d bytes, want the %d of the response", addr, len(request), len(answer.Raw))
		}
	}
}
