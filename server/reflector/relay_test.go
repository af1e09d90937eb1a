package reflector

import (
	"encoding/base64"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

func TestSTUNAnswersWithoutCredentials(t *testing.T) {
	r := start(t)
	for _, network := range []string{"udp", "tcp"} {
		conn, err := net.Dial(network, r.STUNAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		c, err := stun.NewClient(conn)
		if err != nil {
			t.Fatal(err)
		}
		var mapped stun.XORMappedAddress
		err = c.Do(stun.MustBuild(stun.TransactionID, stun.BindingRequest), func(e stun.Event) {
			if e.Error != nil {
				t.Errorf("%s: got error %v, want nil", network, e.Error)
				return
			}
			if err := mapped.GetFrom(e.Message); err != nil {
				t.Errorf("%s: got error %v, want none", network, err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := conn.LocalAddr().String(); mapped.String() != want {
			t.Errorf("%s: got mapped address %s, want %s", network, mapped, want)
		}
		_ = c.Close()
	}
}

// turnClient allocates with the credentials of the ICE configuration, modified by f.
func turnClient(t *testing.T, r *Reflector, owner string, f func(*turn.ClientConfig)) (*turn.Client, net.PacketConn, error) {
	t.Helper()
	server := r.ICE(owner, "127.0.0.1").ICEServers[1]
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := r.STUNAddr().String()
	c := &turn.ClientConfig{
		STUNServerAddr: at, TURNServerAddr: at, Conn: socket,
		Username: server.Username, Password: server.Credential, RTO: 100 * time.Millisecond,
	}
	if f != nil {
		f(c)
	}
	client, err := turn.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); _ = socket.Close() })
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	relayed, err := client.Allocate()
	return client, relayed, err
}

func TestRelayReachesTheMediaPortOnly(t *testing.T) {
	r := start(t)
	client, relayed, err := turnClient(t, r, "anna", nil)
	if err != nil {
		t.Fatal(err)
	}
	victim, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer victim.Close()
	if err := client.CreatePermission(&net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 53}); err == nil {
		t.Error("got a permission for a foreign address")
	}
	// The address is our own, the port is not.
	if _, err := relayed.WriteTo([]byte("open relay?"), victim.LocalAddr()); err != nil {
		t.Logf("refused: %v", err)
	}
	until(t, "the relay drops it", func() bool { return r.Stats().RelayDropped >= 2 })
	_ = victim.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, _, err := victim.ReadFrom(make([]byte, 100)); err == nil {
		t.Errorf("got %d bytes at the victim, want none", n)
	}
	// Nothing from other ports passes: the victim writes to the relayed address.
	dropped := r.Stats().RelayDropped
	if _, err := victim.WriteTo([]byte("hello"), relayed.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	until(t, "the relay drops the foreign packet", func() bool { return r.Stats().RelayDropped > dropped })
}

func TestRelayQuota(t *testing.T) {
	r := start(t, func(c *Config) { c.Limits.Relays, c.Limits.RelaysPerOwner = 3, 2 })
	for i, c := range []struct {
		owner string
		ok    bool
	}{{"anna", true}, {"anna", true}, {"anna", false}, {"bert", true}, {"carl", false}} {
		// A request that is repeated, because its answer is late, would be refused twice.
		_, _, err := turnClient(t, r, c.owner, func(client *turn.ClientConfig) { client.RTO = time.Minute })
		if (err == nil) != c.ok {
			t.Errorf("allocation %d of %s: got error %v, want it accepted: %v", i, c.owner, err, c.ok)
		}
	}
	if s := r.Stats(); s.RelaysOpen != 3 || s.RelaysRefused != 2 {
		t.Errorf("got %+v, want 3 open and 2 refused", s)
	}
}

func TestRelayLifetimeIsCapped(t *testing.T) {
	r := start(t, func(c *Config) { c.Limits.RelayLifetime = 300 * time.Millisecond })
	_, relayed, err := turnClient(t, r, "anna", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer relayed.Close()
	until(t, "the allocation ends although the client refreshes it", func() bool { return r.Stats().RelaysOpen == 0 })
}

func TestRelayCredentials(t *testing.T) {
	now := time.Now()
	r := start(t, func(c *Config) { c.Now = func() time.Time { return now } })
	sign := func(user string) func(*turn.ClientConfig) {
		return func(c *turn.ClientConfig) { c.Username, c.Password = user, r.relay.password(user) }
	}
	at := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	for name, c := range map[string]struct {
		change func(*turn.ClientConfig)
		ok     bool
	}{
		"good":           {nil, true},
		"wrong password": {func(c *turn.ClientConfig) { c.Password = base64.StdEncoding.EncodeToString([]byte("guess")) }, false},
		"other owner":    {func(c *turn.ClientConfig) { c.Username += "x" }, false},
		"expired":        {sign(at(-time.Minute) + ":anna"), false},
		"far ahead":      {sign(at(24*time.Hour) + ":anna"), false},
		"no date":        {sign("anna"), false},
		"empty":          {func(c *turn.ClientConfig) { c.Username, c.Password = "x", "" }, false},
	} {
		if _, _, err := turnClient(t, r, "anna", c.change); (err == nil) != c.ok {
			t.Errorf("%s: got error %v, want it accepted: %v", name, err, c.ok)
		}
	}
}

func TestICEConfig(t *testing.T) {
	r := start(t)
	for host, want := range map[string]string{"collector.example": "collector.example:", "2001:db8::1": "[2001:db8::1]:", "[2001:db8::1]": "[2001:db8::1]:"} {
		c := r.ICE("0192-anna", host)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: got error %v, want none", host, err)
		}
		if !strings.HasPrefix(c.ICEServers[0].URLs[0], "stun:"+want) || len(c.ICEServers[1].URLs) != 2 {
			t.Errorf("got %+v, want stun:%s and two addresses of TURN", c, want)
		}
		if c.Expired(time.Now()) || !c.Expired(time.Now().Add(11*time.Minute)) {
			t.Errorf("got expiry %v, want it to be between now and 11 minutes later", c.ExpiresAt)
		}
	}
}

// portsAt returns ports with these addresses and without sockets.
func portsAt(all ...netip.AddrPort) *ports {
	p := &ports{usable: all}
	if len(all) > 0 {
		p.port = all[0].Port()
	}
	return p
}

// TestRelayBehindTranslation: no interface has the advertised address, so the relay
// must send to the real one and respond from the advertised one.
func TestRelayBehindTranslation(t *testing.T) {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	bound := socket.LocalAddr().(*net.UDPAddr).AddrPort()
	public := netip.AddrPortFrom(netip.MustParseAddr("198.51.100.7"), bound.Port())
	sockets := &relaySockets{
		media:    &mediaPort{sockets: portsAt(bound), named: []netip.AddrPort{public}},
		stun:     portsAt().addresses,
		lifetime: time.Minute, perSecond: 100, count: &counters{},
	}
	conn, _, err := sockets.AllocatePacketConn(turn.AllocateListenerConfig{Network: "udp4"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.WriteTo([]byte("up"), net.UDPAddrFromAddrPort(public)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	_ = socket.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, from, err := socket.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "up" {
		t.Fatalf("got %q, error %v; want up", buf[:n], err)
	}
	if _, err := socket.WriteTo([]byte("down"), from); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, name, err := conn.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "down" || name.String() != public.String() {
		t.Errorf("got %q from %v, error %v; want %q, %v", buf[:n], name, err, "down", public.String())
	}
}
