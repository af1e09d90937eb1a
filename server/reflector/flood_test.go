package reflector

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// forged is a source address that an attacker writes into packets; the responses go to
// it.
var forged = netip.MustParseAddrPort("203.0.113.7:53")

// answeredBytes returns the bytes that a source receives for n copies of a request.
func answeredBytes(d *discovery, at *net.UDPConn, request *stun.Message, from netip.AddrPort, n int) (bytes, answers int) {
	for range n {
		if !d.limits.admits(request.Raw, from.Addr()) {
			continue
		}
		raw, err := d.reply(at, request, from).bytes(len(request.Raw), func() bool { return d.limits.large(from.Addr()) })
		if err == nil {
			bytes, answers = bytes+len(raw), answers+1
		}
	}
	return bytes, answers
}

// TestAmplification measures the factor in docs/measured.md: bytes sent to a forged
// source for each byte of a flood, for STUN alone and with the headers of IP and UDP.
// The minimum is the response of RFC 8489 §6.3.1 itself.
func TestAmplification(t *testing.T) {
	now := time.Now()
	r := startWithTwo(t, func(c *Config) { c.Now = func() time.Time { return now } })
	d, at := r.relay.discovery, r.relay.ports.socket(r.STUNAddr().Addr())
	build := func(more ...stun.Setter) *stun.Message {
		return stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.BindingRequest}, more...)...)
	}
	relay := r.ICE("anna", "127.0.0.1").ICEServers[1]
	port := stun.RawAttribute{Type: stun.AttrResponsePort, Value: []byte{0, 53, 0, 0}}
	six := netip.MustParseAddrPort("[2001:db8:1::7]:53")
	const flood = 100_000
	worst := 0.0
	for name, c := range map[string]struct {
		request *stun.Message
		from    netip.AddrPort
		headers int
		most    float64 // STUN alone
	}{
		"binding, IPv4":             {build(), forged, 28, 1.7},
		"binding, IPv6":             {build(), six, 48, 2.3},
		"binding, fingerprint":      {build(stun.Fingerprint), forged, 28, 1.5},
		"change address":            {build(change(6)), forged, 28, 1.2},
		"response port, no proof":   {build(port), forged, 28, 1},
		"response port, bad proof":  {build(port, stun.NewUsername(relay.Username), stun.NewShortTermIntegrity("guess")), forged, 28, 0.5},
		"padding":                   {build(stun.RawAttribute{Type: attrPadding, Value: make([]byte, 64)}), forged, 28, 0.5},
		"as long as a whole answer": {build(stun.NewSoftware("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")), forged, 28, 1},
	} {
		t.Run(name, func(t *testing.T) {
			now = now.Add(time.Hour) // all buckets are full again
			bytes, answers := answeredBytes(d, at, c.request, c.from, flood)
			// Only the part of the flood that is answered: beyond that the factor
			// decreases.
			factor := float64(bytes) / float64(answers*len(c.request.Raw))
			wire := float64(bytes+answers*c.headers) / float64(answers*(len(c.request.Raw)+c.headers))
			t.Logf("%d bytes requested, %d of %d requests answered; factor %.2f, with headers %.2f", len(c.request.Raw), answers, flood, factor, wire)
			if answers == 0 || factor > c.most {
				t.Errorf("got factor %.2f, want at most %.2f", factor, c.most)
			}
			worst = max(worst, wire)
		})
	}
	if worst > 1.4 {
		t.Errorf("got a maximum of %.2f with headers, want at most 1.4", worst)
	}
}

// TestOneNetworkIsAnsweredSoOften: responses to one network are limited, whichever of
// its addresses is forged, and other networks are not affected.
func TestOneNetworkIsAnsweredSoOften(t *testing.T) {
	now := time.Now()
	r := start(t, func(c *Config) { c.Now = func() time.Time { return now } })
	d, at := r.relay.discovery, r.relay.ports.socket(r.STUNAddr().Addr())
	request := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	answers := 0
	for i := range 256 {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}), 53)
		_, n := answeredBytes(d, at, request, from, 1000)
		answers += n
	}
	if answers != requestsBurst {
		t.Errorf("got %d responses to one network at once, want %d", answers, requestsBurst)
	}
	if _, n := answeredBytes(d, at, request, netip.MustParseAddrPort("198.51.100.1:53"), 1000); n != 1000 {
		t.Errorf("got %d of 1000 responses to another network, want 1000", n)
	}
	now = now.Add(10 * time.Second)
	if _, n := answeredBytes(d, at, request, forged, 100_000); n != 10_000 {
		t.Errorf("got %d responses in 10 s more, want 10,000", n)
	}
	if r.Stats().AnswersLimited == 0 {
		t.Error("no request was counted as refused")
	}
	// TURN's challenge is longer than the request for it.
	allocate := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)).Raw
	n := 0
	now = now.Add(time.Hour)
	for range 10_000 {
		if d.limits.admits(allocate, forged.Addr()) {
			n++
		}
	}
	if n != largeBurst {
		t.Errorf("got %d challenges at once, want %d", n, largeBurst)
	}
	// Data of an existing relay is not limited.
	now = now.Add(time.Hour)
	for range 2 * requestsBurst {
		if !d.limits.admits([]byte{0x40, 0, 0, 4, 1, 2, 3, 4}, forged.Addr()) {
			t.Fatal("data of an existing relay was dropped")
		}
	}
}

// TestRelayAsksForNoOtherPort: through a relay, RESPONSE-PORT could reach any of our
// own ports.
func TestRelayAsksForNoOtherPort(t *testing.T) {
	r := start(t)
	_, relayed, err := turnClient(t, r, "anna", nil)
	if err != nil {
		t.Fatal(err)
	}
	server := r.ICE("anna", "127.0.0.1").ICEServers[1]
	victim := udpSocket(t)
	port := victim.LocalAddr().(*net.UDPAddr).Port
	m := stun.MustBuild(stun.TransactionID, stun.BindingRequest,
		stun.RawAttribute{Type: stun.AttrResponsePort, Value: []byte{byte(port >> 8), byte(port), 0, 0}},
		stun.NewUsername(server.Username), stun.NewShortTermIntegrity(server.Credential))
	dropped := r.Stats().RelayDropped
	if _, err := relayed.WriteTo(m.Raw, net.UDPAddrFromAddrPort(r.STUNAddr())); err != nil {
		t.Fatal(err)
	}
	until(t, "the relay drops it", func() bool { return r.Stats().RelayDropped > dropped })
	_ = victim.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := victim.Read(make([]byte, 100)); err == nil {
		t.Errorf("got %d bytes at the victim, want none", n)
	}
}
