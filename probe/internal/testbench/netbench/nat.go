package netbench

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// NATSpec is a translator of addresses in the terms of RFC 4787.
type NATSpec struct {
	// Mapping (§4.1): EIM, ADM, APDM; none translates nothing, and with
	// Filtering set it is a firewall that lets answers in.
	Mapping string `toml:"mapping"`
	// Filtering (§5): EIF, ADF, APDF.
	Filtering string `toml:"filtering"`
	// Ports (§4.2): preserve keeps the inner port where it is free, sequential
	// and random do not.
	Ports string `toml:"ports"`
	// LifetimeS is how long an idle UDP binding lives (§4.3); 0 means 120.
	LifetimeS float64 `toml:"lifetime_s"`
	// RefreshInbound lets packets from outside keep a binding alive too (§4.3, REQ-6).
	RefreshInbound bool `toml:"refresh_inbound"`
	// Hairpin sends packets to the own outer address back inside (§6).
	Hairpin bool `toml:"hairpin"`
	// ALG writes the inner address into what is inside of packets, where it
	// finds the outer one.
	ALG bool `toml:"alg"`
	// Shows is the address under which the router complains to those inside, such
	// as one of RFC 6598; without it, its usual one.
	Shows string `toml:"shows"`
}

// homeRouter is what stands in most homes.
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
		return fmt.Errorf("shows = %q is no address", s.Shows)
	}
	return nil
}

// tcpLifetime is that of established connections (RFC 5382 §5), which outlive
// every check.
const tcpLifetime = 124 * time.Minute

// nat translates. It is used from one goroutine; times are nanoseconds of one
// clock.
type nat struct {
	spec     NATSpec
	outside  netip.Addr
	rand     *rand.Rand
	bindings map[inner]*binding
	byOuter  map[outer]*binding
	nextPort uint16
}

// inner is what selects a binding on the way out; the remote's fields stay zero
// as far as the mapping does not depend on them.
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
	contacts map[netip.AddrPort]int64 // whom it has sent to, and when last
}

func newNAT(s NATSpec, outside netip.Addr, r *rand.Rand) *nat {
	return &nat{
		spec: s.withDefaults(), outside: outside, rand: r, nextPort: 20000,
		bindings: map[inner]*binding{}, byOuter: map[outer]*binding{},
	}
}

func (n *nat) translates() bool { return n.spec.Mapping != "none" }

// outbound translates a packet on its way out, in place. hairpin says that it
// is to turn round and go on inside. Not ok: dropped.
func (n *nat) outbound(p packet, nowNS int64) (hairpin, ok bool) {
	if p.isFragment() && n.translates() {
		return false, false // its later parts have no ports to go by
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
	// RFC 4787 §6: the inside sees the outer address of the sender.
	return true, n.inbound(p, nowNS)
}

// inbound translates a packet from outside, in place; not ok: dropped.
func (n *nat) inbound(p packet, nowNS int64) bool {
	if about, isError := p.carriesError(); isError {
		return n.errorInbound(p, about)
	}
	if !n.translates() {
		if n.spec.Filtering == "" {
			return true
		}
		b := n.bindings[inner{protocol: p.protocol(), local: p.dst()}]
		return b != nil && n.lets(b, p.src(), nowNS)
	}
	b := n.byOuter[outer{p.protocol(), p.dst().Port()}]
	if p.dst().Addr() != n.outside || b == nil || n.expired(b, b.lastNS, nowNS) || !n.lets(b, p.src(), nowNS) {
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

// lets is the filter of RFC 4787 §5. What was sent to someone long ago is
// forgotten with the lifetime of the binding.
func (n *nat) lets(b *binding, from netip.AddrPort, nowNS int64) bool {
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

// bind finds or makes the binding of an outgoing packet.
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

// firewall is the record of who was written to where nothing is translated.
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
		// With "sequential" and "random" the inner port is never kept by chance:
		// a scenario that says so must be one.
		if port != wanted && free(port) {
			return port, true
		}
	}
	return 0, false
}

// errorInbound brings an ICMP error about one of our packets home: the packet
// it quotes has left translated (RFC 5508 §4).
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

// errorOutbound sends an ICMP error of the inside out: it quotes a packet as
// the inside has received it.
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
