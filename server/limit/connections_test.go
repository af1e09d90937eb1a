package limit

import (
	"net/netip"
	"testing"
)

type conn struct{ closed int }

func (c *conn) Close() error { c.closed++; return nil }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestOneSiteCannotTakeAllSlots(t *testing.T) {
	l := NewConnections(100, 60)
	var stranger []*conn
	for i := range 100 {
		c := &conn{}
		_, ok := l.Enter(c, addr("192.0.2.1"))
		if ok != (i < 60) {
			t.Fatalf("connection %d: %t", i, ok)
		}
		if ok {
			stranger = append(stranger, c)
		}
	}
	for i := range 40 {
		if _, ok := l.Enter(&conn{}, addr("192.0.2.2")); !ok {
			t.Fatalf("connection %d of the second site was refused", i)
		}
	}
	// All slots are in use; a third site gets one, from the site with the most
	// connections.
	for i := range 10 {
		if _, ok := l.Enter(&conn{}, addr("192.0.2.3")); !ok {
			t.Fatalf("connection %d of the third site was refused", i)
		}
		if stranger[i].closed != 1 || stranger[i+1].closed != 0 {
			t.Fatalf("after %d: want the oldest of the largest site closed", i)
		}
	}
	if l.Open() != 100 {
		t.Errorf("got %d open, want 100", l.Open())
	}
}

func TestEqualSitesDoNotDisplaceEachOther(t *testing.T) {
	l := NewConnections(2, 2)
	first := &conn{}
	leave, _ := l.Enter(first, addr("192.0.2.1"))
	l.Enter(&conn{}, addr("192.0.2.2"))
	if _, ok := l.Enter(&conn{}, addr("192.0.2.2")); ok || first.closed > 0 {
		t.Error("a site displaced one that has no more than itself")
	}
	leave()
	leave()
	if l.Open() != 1 {
		t.Errorf("got %d open, want 1", l.Open())
	}
	if _, ok := l.Enter(&conn{}, addr("192.0.2.2")); !ok {
		t.Error("a free slot was refused")
	}
}

func TestADisplacedConnectionMayStillLeave(t *testing.T) {
	l := NewConnections(2, 2)
	leave, _ := l.Enter(&conn{}, addr("192.0.2.1"))
	l.Enter(&conn{}, addr("192.0.2.1"))
	if _, ok := l.Enter(&conn{}, addr("192.0.2.2")); !ok {
		t.Fatal("a connection was refused")
	}
	leave()
	if l.Open() != 2 {
		t.Errorf("got %d open, want 2", l.Open())
	}
}

func TestSite(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.7": "192.0.2.7/32",
		"2001:db8:1:2::3": "2001:db8:1::/48", "fe80::1%eth0": "fe80::/48",
	} {
		if got := Site(addr(in)).String(); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	if Site(netip.Addr{}).IsValid() {
		t.Error("got a site for an invalid address")
	}
}
