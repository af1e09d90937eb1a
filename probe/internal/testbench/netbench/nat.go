package netbench

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// NATSpec is a NAT in the terms of RFC 4787.
type NATSpec struct {
	// Mapping (§4.1) is EIM, ADM or APDM; none does not translate, and with
	// Filtering set it is a stateful firewall.
	Mapping string `toml:"mapping"`
	// Filtering (§5) is EIF, ADF or APDF.
	Filtering string `toml:"filtering"`
	// Ports (§4.2): preserve keeps the internal port if it is free, sequential and
	// random do not.
	Ports string `toml:"ports"`
	// LifetimeS is the lifetime of an idle UDP binding (§4.3); 0 means 120.
	LifetimeS float64 `toml:"lifetime_s"`
	// RefreshInbound means that inbound packets refresh a binding too (§4.3,
	// REQ-6).
	RefreshInbound bool `toml:"refresh_inbound"`
	// Hairpin forwards packets to the NAT's own external address back inside (§6).
	Hairpin bool `toml:"hairpin"`
	// ALG replaces the external address by the internal one in payloads.
	ALG bool `toml:"alg"`
	// Shows is the source address of the router's ICMP errors toward the inside,
	// for example one of RFC 6598; "" means its usual address.
	Shows string `toml:"shows"`
}

// homeRouter returns the most common behaviour of home routers.
func homeRouter() NATSpec { return NATSpec{Mapping: "EIM", Filtering: "APDF", Ports: "preserve"} }

func (s NATSpec) withDefaults() NATSpec {
	s.Mapping = cmp.Or(s.Mapping, "EIM")
	if s.Mapping != "none" {
		s.Filtering = cmp.Or(s.Filtering, "APDF")
	}
	s.Ports = cmp.Or(s.Ports, "preserve")
	s.LifetimeS = cmp.Or(s.LifetimeS, 120)
	return s
}

func (s NATSpec) validate() error {
	for what, v := range map[string]struct {
		got  string
		want []string
	}{
		"mapping":   {s.Mapping, []string{"", "EIM", "ADM", "APDM", "none"}},
		"filtering": {s.Filtering, []string{"", "EIF", "ADF", "APDF"}},
		"ports":     {s.Ports, []string{"", "preserve", "random", "sequential"}},
	} {
		if !slices.Contains(v.want, v.got) {
			return fmt.Errorf("%s = %q: want one of %q", what, v.got, v.want[1:])
		}
	}
	if !(s.LifetimeS >= 0) {
		return fmt.Errorf("lifetime_s = %v: want a number from 0 on", s.LifetimeS)
	}
	if _, err := netip.ParseAddr(s.Shows); s.Shows != "" && err != nil {
		return fmt.Errorf("shows = %q is not an address", s.Shows)
	}
	return nil
}

// tcpLifetime is the lifetime of established connections (RFC 5382 §5), which is
// longer than any check.
const tcpLifetime = 124 * time.Minute

// nat translates packets. It is used by one goroutine; times are nanoseconds of one
// clock.
type nat struct {
	spec     NATSpec
	outside  netip.Addr
	rand     *rand.Rand
	bindings map[inner]*binding
	byOuter  map[outer]*binding
	nextPort uint16
}

// inner selects a binding for outbound packets; the fields of the remote address
// are zero if the mapping does not depend on them.
type inner struct {
	protocol   byte
	local      netip.AddrPort
	remote     netip.Addr
	remotePort uint16
}

type outer struct {
	protocol byte
	port     uint16
}

type binding struct {
	inner
	port     uint16
	lastNS   int64
	contacts map[netip.AddrPort]int64 // destinations, with the time of the last packet
}

func newNAT(s NATSpec, outside netip.Addr, r *rand.Rand) *nat {
	return &nat{
		spec: s.withDefaults(), outside: outside, rand: r, nextPort: 20000,
		bindings: map[inner]*binding{}, byOuter: map[outer]*binding{},
	}
}

func (n *nat) translates() bool { return n.spec.Mapping != "none" }

// outbound translates an outbound packet in place. hairpin means that it must be
// forwarded back inside; ok is false if it must be dropped.
func (n *nat) outbound(p packet, nowNS int64) (hairpin, ok bool) {
	if p.isFragment() && n.translates() {
		return false, false // later fragments have no ports
	}
	if about, isError := p.carriesError(); isError {
		return false, n.errorOutbound(p, about)
	}
	if !n.translates() {
		n.firewall(p).send(p.dst(), nowNS)
		return false, true
	}
	toSelf := p.dst().Addr() == n.outside
	if toSelf && !n.spec.Hairpin {
		return false, false
	}
	b := n.bind(p, nowNS)
	if b == nil {
		return false, false
	}
	b.send(p.dst(), nowNS)
	p.setSrc(netip.AddrPortFrom(n.outside, b.port))
	if !toSelf {
		return false, true
	}
	// RFC 4787 §6: the packet arrives from the external address of the sender.
	return true, n.inbound(p, nowNS)
}

// inbound translates an inbound packet in place; ok is false if it must be dropped.
func (n *nat) inbound(p packet, nowNS int64) bool {
	if about, isError := p.carriesError(); isError {
		return n.errorInbound(p, about)
	}
	if !n.translates() {
		if n.spec.Filtering == "" {
			return true
		}
		b := n.bindings[inner{protocol: p.protocol(), local: p.dst()}]
		return b != nil && n.permits(b, p.src(), nowNS)
	}
	b := n.byOuter[outer{p.protocol(), p.dst().Port()}]
	if p.dst().Addr() != n.outside || b == nil || n.expired(b, b.lastNS, nowNS) || !n.permits(b, p.src(), nowNS) {
		return false
	}
	if n.spec.RefreshInbound {
		b.lastNS = nowNS
	}
	p.setDst(b.local)
	if n.spec.ALG {
		p.rewriteMapped(b.local)
	}
	return true
}

// permits implements the filtering of RFC 4787 §5. Contacts expire after the
// lifetime of a binding.
func (n *nat) permits(b *binding, from netip.AddrPort, nowNS int64) bool {
	if n.spec.Filtering == "EIF" {
		return true
	}
	for to, sentNS := range b.contacts {
		same := to == from || to.Addr() == from.Addr() && (n.spec.Filtering == "ADF" || b.protocol == protoICMP)
		if same && (!n.expired(b, sentNS, nowNS) || n.spec.RefreshInbound) {
			return true
		}
	}
	return false
}

func (n *nat) expired(b *binding, lastNS, nowNS int64) bool {
	life := int64(n.spec.LifetimeS * 1e9)
	if b.protocol == protoTCP {
		life = int64(tcpLifetime)
	}
	return nowNS-lastNS > life
}

// bind returns the binding of an outbound packet, and creates it if necessary.
func (n *nat) bind(p packet, nowNS int64) *binding {
	key := inner{protocol: p.protocol(), local: p.src()}
	if n.spec.Mapping != "EIM" {
		key.remote = p.dst().Addr()
	}
	if n.spec.Mapping == "APDM" {
		key.remotePort = p.dst().Port()
	}
	if b := n.bindings[key]; b != nil && !n.expired(b, b.lastNS, nowNS) {
		return b
	} else if b != nil {
		delete(n.bindings, key)
		delete(n.byOuter, outer{b.protocol, b.port})
	}
	port, ok := n.freePort(p.protocol(), p.src().Port(), nowNS)
	if !ok {
		return nil
	}
	b := &binding{inner: key, port: port, contacts: map[netip.AddrPort]int64{}}
	n.bindings[key], n.byOuter[outer{key.protocol, port}] = b, b
	return b
}

// firewall records destinations if nothing is translated.
func (n *nat) firewall(p packet) *binding {
	key := inner{protocol: p.protocol(), local: p.src()}
	if n.bindings[key] == nil {
		n.bindings[key] = &binding{inner: key, contacts: map[netip.AddrPort]int64{}}
	}
	return n.bindings[key]
}

func (b *binding) send(to netip.AddrPort, nowNS int64) {
	b.lastNS, b.contacts[to] = nowNS, nowNS
}

func (n *nat) freePort(protocol byte, wanted uint16, nowNS int64) (uint16, bool) {
	free := func(port uint16) bool {
		b := n.byOuter[outer{protocol, port}]
		if b != nil && n.expired(b, b.lastNS, nowNS) {
			delete(n.byOuter, outer{protocol, port})
			delete(n.bindings, b.inner)
			b = nil
		}
		return b == nil
	}
	if n.spec.Ports == "preserve" && free(wanted) {
		return wanted, true
	}
	for range 40000 {
		port := n.nextPort
		if n.spec.Ports == "random" {
			port = uint16(20000 + n.rand.IntN(40000))
		} else if n.nextPort++; n.nextPort == 60000 {
			n.nextPort = 20000
		}
		// With "sequential" and "random" the internal port must not be kept by
		// chance.
		if port != wanted && free(port) {
			return port, true
		}
	}
	return 0, false
}

// errorInbound forwards an ICMP error about one of our packets inside. The packet
// it quotes was translated (RFC 5508 §4).
func (n *nat) errorInbound(p, about packet) bool {
	if !n.translates() {
		return true
	}
	b := n.byOuter[outer{about.protocol(), about.port(0)}]
	if b == nil || about.src().Addr() != n.outside {
		return false
	}
	about.setSrc(b.local)
	p.setDst(netip.AddrPortFrom(b.local.Addr(), 0))
	p.sumICMP()
	return true
}

// errorOutbound forwards an ICMP error from the inside. It quotes a packet as
// received inside.
func (n *nat) errorOutbound(p, about packet) bool {
	if !n.translates() {
		return true
	}
	for _, b := range n.bindings {
		if b.local == about.dst() && b.protocol == about.protocol() {
			about.setDst(netip.AddrPortFrom(n.outside, b.port))
			p.setSrc(netip.AddrPortFrom(n.outside, 0))
			p.sumICMP()
			return true
		}
	}
	return false
}
