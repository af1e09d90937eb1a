package reflector

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// TestRelayPermitsOnlyItsOwnAddress: no permission is given for networks behind the
// collector, its other addresses, and other forms of its address.
func TestRelayPermitsOnlyItsOwnAddress(t *testing.T) {
	r := start(t)
	client, _, err := turnClient(t, r, "anna", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, ip := range []string{
		"10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", // internal networks, a cloud's metadata
		"127.0.0.2", "127.255.255.254", "0.0.0.0", "255.255.255.255", "224.0.0.251",
		"8.8.8.8", "198.51.100.7",
	} {
		if err := client.CreatePermission(&net.UDPAddr{IP: net.ParseIP(ip), Port: int(r.MediaAddr().Port())}); err == nil {
			t.Errorf("got a permission for %s", ip)
		}
	}
	if err := client.CreatePermission(net.UDPAddrFromAddrPort(r.MediaAddr())); err != nil {
		t.Errorf("got no permission for the media port: %v", err)
	}
}

// TestRelayAddressesInEveryForm: the address in a permission may have 4 or 16 bytes,
// and may denote this machine without being its address.
func TestRelayAddressesInEveryForm(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.10:3480")
	g := &relaySockets{
		media: &mediaPort{sockets: portsAt(at)},
		stun:  portsAt(netip.MustParseAddrPort("192.0.2.10:3478")).addresses, count: &counters{},
	}
	for ip, want := range map[string]bool{
		"192.0.2.10": true, "::ffff:192.0.2.10": true,
		"192.0.2.11": false, "127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false, "::": false,
		"::192.0.2.10": false, "64:ff9b::c000:20a": false, "fe80::1": false, "fd00::1": false, "ff02::1": false,
	} {
		if got := g.mayReach(nil, net.ParseIP(ip)); got != want {
			t.Errorf("%s: got %t, want %t", ip, got, want)
		}
	}
	if g.mayReach(nil, nil) || g.mayReach(nil, net.IP{1, 2, 3}) {
		t.Error("an invalid address was permitted")
	}
}

// TestRelayTakesNoOtherPortOfItsOwn: a permission for its address includes all ports
// (RFC 8656 §9), such as that of the collector's own pages.
func TestRelayTakesNoOtherPortOfItsOwn(t *testing.T) {
	r := start(t)
	_, relayed, err := turnClient(t, r, "anna", nil)
	if err != nil {
		t.Fatal(err)
	}
	binding := stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw
	allocate := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)).Raw
	dropped := r.Stats().RelayDropped
	for i, c := range []struct {
		to   netip.AddrPort
		what []byte
	}{
		{netip.AddrPortFrom(r.MediaAddr().Addr(), 53), []byte("query")},
		{netip.AddrPortFrom(r.MediaAddr().Addr(), 53), binding},
		{r.STUNAddr(), allocate}, // an allocation within an allocation
		{r.STUNAddr(), []byte("GET / HTTP/1.1\r\n\r\n")},
	} {
		if _, err := relayed.WriteTo(c.what, net.UDPAddrFromAddrPort(c.to)); err != nil {
			t.Fatal(err)
		}
		until(t, "it is dropped", func() bool { return r.Stats().RelayDropped == dropped+int64(i)+1 })
	}
	// The path works: the last request is answered.
	if _, err := relayed.WriteTo(binding, net.UDPAddrFromAddrPort(r.STUNAddr())); err != nil {
		t.Fatal(err)
	}
	_ = relayed.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, _, err := relayed.ReadFrom(make([]byte, 1500)); err != nil {
		t.Error(err)
	}
}

// TestRelayRateIsBounded: the rate of one allocation, and thereby of all, is limited.
func TestRelayRateIsBounded(t *testing.T) {
	r := start(t, func(c *Config) { c.Limits.PacketsPerSecond = 5 })
	_, relayed, err := turnClient(t, r, "anna", nil)
	if err != nil {
		t.Fatal(err)
	}
	to := net.UDPAddrFromAddrPort(r.MediaAddr())
	const sent = 200
	for range sent {
		if _, err := relayed.WriteTo([]byte("flood"), to); err != nil {
			t.Fatal(err)
		}
	}
	burst := 2 * relayRate(r.cfg.Limits)
	until(t, "the excess is dropped", func() bool { return r.Stats().RelayDropped >= sent-int64(2*burst) })
}

// TestWithoutCredentialsNothingIsAllocated: the first refusal is small, so that a
// forged source address gains little.
func TestWithoutCredentialsNothingIsAllocated(t *testing.T) {
	r := start(t)
	c := udpSocket(t)
	ask := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest),
		stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}})
	if _, err := c.WriteToUDPAddrPort(ask.Raw, r.STUNAddr()); err != nil {
		t.Fatal(err)
	}
	m, _ := listen(t, c)
	var code stun.ErrorCodeAttribute
	if code.GetFrom(m) != nil || code.Code != stun.CodeUnauthorized || len(m.Raw) > 200 {
		t.Errorf("got %v in %d bytes, want %v in at most 200", m, len(m.Raw), stun.CodeUnauthorized)
	}
	if s := r.Stats(); s.RelaysOpen != 0 {
		t.Errorf("got %+v, want no relay", s)
	}
}
