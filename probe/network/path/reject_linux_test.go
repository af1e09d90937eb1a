package path

import (
	"encoding/json"
	"net/netip"
	"os"
	"sync"
	"testing"

	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

const collectorAddress6 = "2001:db8:203::20"

// rejection is the output of recordRejection.
type rejection struct {
	Ports []report.PathPort
	All   string // sender of the rejections of every port
	Lives bool   // another address is reachable
}

// recordRejection runs the parts of network.path that determine who rejects the
// collector. elsewhere is another address.
func recordRejection(t *testing.T, out, collector, elsewhere string) {
	env := probetest.Env(t)
	p := path{Config{Collector: "https://collector.example:8443", Asker: echo.System(), Toward: adapter.Toward}}
	far := farEnds{collector: netip.MustParseAddr(collector), elsewhere: netip.MustParseAddr(elsewhere)}
	found := p.survey(t.Context(), env, far)
	var r rejection
	var wg sync.WaitGroup
	wg.Go(func() { r.Ports = p.askPorts(t.Context(), env, found) })
	wg.Go(func() {
		reached, _ := p.reachesElsewhere(t.Context(), env, found)
		r.Lives = found.trace.noRoute || reached
	})
	wg.Wait()
	r.All = whoRejectsAll(r.Ports)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(out, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// addIPv6 adds IPv6 addresses. The home's network is a /64 of a /56, as assigned by
// providers.
func addIPv6(t *testing.T, h homeNetwork) {
	t.Helper()
	for _, a := range []struct{ ns, addr, device string }{
		{h.home, "2001:db8:77:1::2/64", "lan0"},
		{h.router, "2001:db8:77:1::1/64", "lan1"},
		{h.router, "2001:db8:198::2/64", "wan0"},
		{h.provider, "2001:db8:198::1/64", "wan1"},
		{h.provider, "2001:db8:203::1/64", "net0"},
		{h.servers, "2001:db8:203::10/64", "net1"},
		{h.servers, collectorAddress6 + "/64", "net1"},
	} {
		inside(t, a.ns, "sysctl -qw net.ipv6.conf.all.forwarding=1")
		inside(t, a.ns, "ip -6 addr add "+a.addr+" dev "+a.device+" nodad")
	}
	inside(t, h.home, "sysctl -qw net.ipv6.conf.all.forwarding=0")
	inside(t, h.home, "ip -6 route add default via 2001:db8:77:1::1")
	inside(t, h.router, "ip -6 route add default via 2001:db8:198::1")
	inside(t, h.provider, "ip -6 route add 2001:db8:77::/56 via 2001:db8:198::2")
	inside(t, h.servers, "ip -6 route add default via 2001:db8:203::1")
}

// TestWhoRejects compares the reported machine and its ICMP error with firewall
// rules of the kernel: each ICMP type that nftables sends, by the home router, by
// the provider's and by the server itself, for the collector only.
func TestWhoRejects(t *testing.T) {
	h := buildHomeNetwork(t)
	addIPv6(t, h)
	no, yes := new(false), new(true)
	rules := func(kind string) []struct {
		option  string
		noRoute *bool
	} {
		if kind == "icmpv6" {
			return []struct {
				option  string
				noRoute *bool
			}{{"no-route", yes}, {"admin-prohibited", no}, {"addr-unreachable", yes}, {"port-unreachable", no}, {"policy-fail", no}, {"reject-route", no}}
		}
		return []struct {
			option  string
			noRoute *bool
		}{{"net-unreachable", yes}, {"host-unreachable", yes}, {"port-unreachable", no}, {"net-prohibited", no}, {"host-prohibited", no}, {"admin-prohibited", no}}
	}
	for _, family := range []struct{ role, ip, kind, collector string }{
		{"rejected4", "ip", "icmp", collectorAddress},
		{"rejected6", "ip6", "icmpv6", collectorAddress6},
	} {
		for _, rule := range rules(family.kind) {
			for _, place := range []struct {
				ns, hook, by, answer string
			}{
				{h.router, "forward", byLocal, portRejected},
				{h.provider, "forward", byProvider, portRejected},
				{h.servers, "input", "", portRefused},
			} {
				t.Run(family.ip+", "+rule.option+", "+place.hook+" "+place.by, func(t *testing.T) {
					noLoss(t, h)
					// The kernel limits ICMP errors per peer.
					for _, ns := range []string{h.router, h.provider, h.servers} {
						inside(t, ns, "sysctl -qw net.ipv4.icmp_ratelimit=0")
						inside(t, ns, "sysctl -qw net.ipv6.icmp.ratelimit=0")
					}
					inside(t, place.ns, "nft add table inet fw")
					inside(t, place.ns, "nft add chain inet fw c { type filter hook "+place.hook+" priority 0 ; }")
					inside(t, place.ns, "nft add rule inet fw c "+family.ip+" daddr "+family.collector+" meta l4proto tcp reject with "+family.kind+" type "+rule.option)
					got := *measure[rejection](t, h, family.role)
					var needed report.PathPort
					for _, p := range got.Ports {
						if testnet.Deref(p.Needed) {
							needed = p
						}
					}
					if needed.Answer != place.answer || needed.RejectedBy != place.by || got.All != place.by {
						t.Errorf("got answer %q by %q, all by %q; want %q, %q, %q", needed.Answer, needed.RejectedBy, got.All, place.answer, place.by, place.by)
					}
					if place.by == "" {
						if needed.NoRoute != nil || needed.Left != nil && !*needed.Left {
							t.Errorf("got no route %v, left %v, want nil, nil or true", testnet.Deref(needed.NoRoute), testnet.Deref(needed.Left))
						}
						return
					}
					if needed.NoRoute == nil || *needed.NoRoute != *rule.noRoute {
						t.Errorf("got no route %t, nil %t; want %t", testnet.Deref(needed.NoRoute), needed.NoRoute == nil, *rule.noRoute)
					}
					if kept := needed.Left != nil && !*needed.Left; kept != (place.by == byLocal) {
						t.Errorf("got kept %t, want %t", kept, place.by == byLocal)
					}
				})
			}
		}
	}
}

// TestLineWorksBesideTheCollector: the home router rejects or drops all packets to
// the collector, including echo requests. Other addresses are reachable, or not.
func TestLineWorksBesideTheCollector(t *testing.T) {
	h := buildHomeNetwork(t)
	addIPv6(t, h)
	for _, family := range []struct{ role, ip, kind, collector string }{
		{"rejected4", "ip", "icmp", collectorAddress},
		{"rejected6", "ip6", "icmpv6", collectorAddress6},
	} {
		for _, verdict := range []string{"drop", "reject with " + family.kind + " type admin-prohibited"} {
			for _, dead := range []bool{false, true} {
				noLoss(t, h)
				inside(t, h.router, "nft add table inet fw")
				inside(t, h.router, "nft add chain inet fw c { type filter hook forward priority 0 ; }")
				if dead {
					inside(t, h.router, "nft add rule inet fw c "+family.ip+" daddr != "+family.collector+" drop")
				}
				inside(t, h.router, "nft add rule inet fw c "+family.ip+" daddr "+family.collector+" "+verdict)
				if got := *measure[rejection](t, h, family.role); got.Lives == dead {
					t.Errorf("%s, %s, the rest dead %t: got lives %t, want %t", family.ip, verdict, dead, got.Lives, !dead)
				}
			}
		}
	}
}
