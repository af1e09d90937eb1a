package netbench

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"
)

// route carries packets through the segments and routers of one scenario. It
// knows no device and no clock: the [Link] drives it, and tests can.
type route struct {
	plan   addressPlan
	nats   [hosts]*nat
	wall6  *nat // of the gateway, for IPv6: it lets answers in
	detour *detour
	stun   STUNSpec
	public uint16 // the collector's port as it is seen from outside
	front  uint16 // port it leads to
	// toPublic are the connections that came to the public port: some go straight to
	// the one behind it.
	toPublic map[netip.AddrPort]bool
	lanes    [hosts - 1][2][]*lane // per segment and direction, in the order of its phases
	from     [hosts - 1][2][]int64 // when each phase begins
	queue    events
	order    int
	deliver  func(host int, p packet)
	// shows is the address of the provider's router to those inside, if not ispAddr.
	shows netip.Addr
	truth []*Passage
}

// maxPassages bounds the memory of a truth; a check has some thousands.
const maxPassages = 1 << 20

// flight is a packet on its way.
type flight struct {
	packet packet
	truth  *Passage // nil for what a router sends
}

// newRoute sets a scenario up that begins at nowNS. The same seed gives the
// same fates to the same packets.
func newRoute(s Scenario, seed uint64, nowNS int64, deliver func(int, packet)) (*route, error) {
	r := &route{plan: planOf(s), deliver: deliver, toPublic: map[netip.AddrPort]bool{}}
	stream := uint64(0)
	random := func() *rand.Rand { stream++; return rand.New(rand.NewPCG(seed, stream)) }
	r.nats[atGateway] = newNAT(s.NAT, r.plan.wan, random())
	if s.CGNAT != nil {
		r.nats[atISP] = newNAT(*s.CGNAT, publicAddr, random())
		r.shows, _ = netip.ParseAddr(s.CGNAT.Shows) // "" is no address, and then it is not used
	}
	r.wall6 = newNAT(NATSpec{Mapping: "none", Filtering: "APDF"}, netip.Addr{}, random())
	r.detour = detourOf(s, r.plan.gateway)
	r.stun, r.public, r.front = s.STUN, s.Collector.public(), s.Collector.port()
	for i, segment := range []Segment{s.Lan, s.Access, s.Server} {
		for d, phases := range [][]Phase{segment.Up, segment.Down} {
			for _, p := range phases {
				lane, err := newLane(p.Line, random(), nowNS+int64(p.From))
				if err != nil {
					return nil, fmt.Errorf("%s %s: %w", segmentNames[i], Direction(d), err)
				}
				r.lanes[i][d] = append(r.lanes[i][d], lane)
				r.from[i][d] = append(r.from[i][d], nowNS+int64(p.From))
			}
		}
	}
	return r, nil
}

// laneAt is the phase in force; nil for a segment that does nothing.
func (r *route) laneAt(segment int, d Direction, nowNS int64) *lane {
	var l *lane
	for i, from := range r.from[segment][d] {
		if from <= nowNS {
			l = r.lanes[segment][d][i]
		}
	}
	return l
}

// send takes in a packet that host has sent.
func (r *route) send(host int, p packet, nowNS int64) {
	d := Up
	if host == atServer || host != atHome && r.isBelow(host, p.dst().Addr()) {
		d = Down
	}
	f := flight{packet: p}
	if len(r.truth) < maxPassages {
		f.truth = &Passage{
			Direction: d, Protocol: p.protocol(), From: p.src(), To: p.dst(), Bytes: len(p), InNS: nowNS, OfHome: host == atHome,
		}
		f.truth.Seq, f.truth.SSRC, f.truth.RTP = p.rtp()
		r.truth = append(r.truth, f.truth)
	}
	switch {
	case host == atGateway && r.detour != nil:
		r.detour.outOf(p)
	case host == atServer:
		r.leaveServer(f, nowNS)
		return
	}
	r.enter(host, d, f, nowNS)
}

// leaveServer undoes the way from the public port to the one behind it, and lets a STUN
// server be a bad one.
func (r *route) leaveServer(f flight, nowNS int64) {
	p := f.packet
	if from := p.src(); r.front != r.public && p.protocol() == protoTCP && from.Port() == r.front && r.toPublic[p.dst()] {
		p.setSrc(netip.AddrPortFrom(from.Addr(), r.public))
	}
	copies, late := r.stun.spoil(p)
	if copies == 0 {
		f.drop(hostNames[atServer], "stun")
	}
	for i := range copies {
		if i > 0 {
			f.packet = append(packet(nil), p...)
		}
		if late == 0 {
			r.enter(atServer, Down, f, nowNS)
			continue
		}
		r.pushOut(nowNS+int64(late), f)
	}
}

// isBelow says whether addr is on the home's side of a router.
func (r *route) isBelow(host int, addr netip.Addr) bool {
	return addr == r.plan.home || addr == home6Addr || host == atISP && (addr == r.plan.wan || addr == gateway6Addr)
}

// enter puts a packet on the segment that leads from host in direction d.
func (r *route) enter(host int, d Direction, f flight, nowNS int64) {
	segment, next := host, host+1
	if d == Down {
		segment, next = host-1, host-1
	}
	l := r.laneAt(segment, d, nowNS)
	if l == nil {
		r.push(nowNS, next, d, f)
		return
	}
	if drop := r.refused(l, host, next, d, f, nowNS); drop != "" {
		f.drop(segmentNames[segment], drop)
		return
	}
	out, drop := l.admit(len(f.packet), nowNS)
	if drop != "" {
		f.drop(segmentNames[segment], drop)
		return
	}
	for i, at := range out {
		copied := f
		if i > 0 {
			copied.packet = append(packet(nil), f.packet...)
		}
		r.push(at, next, d, copied)
	}
}

// refused is why a filter or the MTU lets a packet not on.
func (r *route) refused(l *lane, host, next int, d Direction, f flight, nowNS int64) string {
	p, port := f.packet, f.packet.dst().Port()
	if d == Down {
		port = p.src().Port()
	}
	if l.block.matches(p, port) && !l.allow.matches(p, port) {
		if l.Reject {
			r.complain(icmpProhibited, 0, host, next, d, p, nowNS)
		}
		return dropBlocked
	}
	if l.MTU == 0 || len(p) <= l.MTU || !p.dontFragment() {
		return "" // without DF a router would send it on in parts
	}
	if !l.MTUSilent {
		r.complain(icmpFragNeeded, l.MTU, host, next, d, p, nowNS)
	}
	return dropMTU
}

// complain answers with "destination unreachable" of a code. A packet of an end host
// is answered by the router next to it.
func (r *route) complain(code byte, mtu, host, next int, d Direction, p packet, nowNS int64) {
	from := host
	if from == atHome || from == atServer {
		from = next
	}
	answer, ok := icmpError(r.routerAddr(p, from, d), p, icmpUnreachable, code, mtu)
	if !ok {
		return
	}
	if host == atHome || host == atServer {
		r.push(nowNS, host, 1-d, flight{packet: answer})
		return
	}
	// The packet has been translated here already, so the answer is too.
	r.arrive(host, 1-d, flight{packet: answer}, nowNS)
}

// routerAddr is the address a router shows to where a packet of d came from.
func (r *route) routerAddr(p packet, host int, d Direction) netip.Addr {
	switch {
	case p.is6() && host == atISP:
		return isp6Addr
	case p.is6():
		return gateway6Addr
	case host == atISP && d == Up && r.shows.IsValid():
		return r.shows
	case host == atISP:
		return ispAddr
	case d == Up:
		return r.plan.gateway
	}
	return r.plan.wan
}

func (f flight) drop(segment, why string) {
	if f.truth != nil && f.truth.Dropped == "" {
		f.truth.Dropped = segment + ": " + why
	}
}

// arrive is a packet at a host.
func (r *route) arrive(host int, d Direction, f flight, nowNS int64) {
	if host == atHome || host == atServer || r.isOwn(host, f.packet.dst().Addr()) {
		r.hand(host, f, nowNS)
		return
	}
	if !f.packet.countDown() {
		f.drop(hostNames[host], "ttl")
		if answer, ok := icmpError(r.routerAddr(f.packet, host, d), f.packet, icmpTimeExceeded, 0, 0); ok {
			r.enter(host, 1-d, flight{packet: answer}, nowNS)
		}
		return
	}
	if host == atGateway && d == Up && r.detour != nil {
		if r.detour.into(f.packet) {
			r.hand(host, f, nowNS)
			return
		}
		if r.detour.exclusive {
			f.drop(hostNames[host], "portal")
			return
		}
	}
	if n := r.translator(host, f.packet); n != nil {
		hairpin, ok := false, false
		if d == Up {
			hairpin, ok = n.outbound(f.packet, nowNS)
		} else {
			ok = n.inbound(f.packet, nowNS)
		}
		if !ok {
			f.drop(hostNames[host], "nat")
			return
		}
		if hairpin {
			d = Down
		}
	}
	r.enter(host, d, f, nowNS)
}

// translator is what stands at a router for packets of this kind; nil: nothing.
func (r *route) translator(host int, p packet) *nat {
	if !p.is6() {
		return r.nats[host]
	}
	if host == atGateway {
		return r.wall6
	}
	return nil
}

func (r *route) isOwn(host int, addr netip.Addr) bool {
	return host == atGateway && (addr == r.plan.gateway || addr == gateway6Addr) || host == atISP && (addr == ispAddr || addr == isp6Addr)
}

func (r *route) hand(host int, f flight, nowNS int64) {
	if to := f.packet.dst(); host == atServer && r.front != r.public && f.packet.protocol() == protoTCP && to.Port() == r.public && !f.packet.is6() {
		r.toPublic[f.packet.src()] = true
		f.packet.setDst(netip.AddrPortFrom(to.Addr(), r.front))
	}
	r.deliver(host, f.packet)
	if f.truth != nil {
		f.truth.OutNS = append(f.truth.OutNS, nowNS)
		f.truth.Arrived = hostNames[host]
	}
}

// step lets arrive what is due, and says when the next is. now is asked anew for
// each packet: what the link itself takes counts as delay.
func (r *route) step(now func() int64) (next time.Duration) {
	for r.queue.Len() > 0 {
		nowNS := now()
		if wait := r.queue[0].atNS - nowNS; wait > 0 {
			return time.Duration(wait)
		}
		e := heap.Pop(&r.queue).(event)
		if e.leaves {
			r.enter(e.host, e.direction, e.flight, nowNS)
		} else {
			r.arrive(e.host, e.direction, e.flight, nowNS)
		}
	}
	return time.Hour
}

func (r *route) push(atNS int64, host int, d Direction, f flight) {
	r.order++
	heap.Push(&r.queue, event{atNS: atNS, order: r.order, host: host, direction: d, flight: f})
}

// pushOut lets a packet leave the server later.
func (r *route) pushOut(atNS int64, f flight) {
	r.order++
	heap.Push(&r.queue, event{atNS: atNS, order: r.order, host: atServer, direction: Down, flight: f, leaves: true})
}

// event is a packet that will be at a host.
type event struct {
	atNS      int64
	order     int
	host      int
	direction Direction
	flight    flight
	leaves    bool // it is there already, and goes then
}

// events is a heap; those of one time leave in the order they came.
type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return q[i].atNS < q[j].atNS || q[i].atNS == q[j].atNS && q[i].order < q[j].order
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(e any)   { *q = append(*q, e.(event)) }
func (q *events) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
