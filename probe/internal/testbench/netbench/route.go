package netbench

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"
)

// route forwards packets through the segments and routers of one scenario. It uses
// no devices and no clock: the [Link] or a test drives it.
type route struct {
	plan   addressPlan
	nats   [hosts]*nat
	wall6  *nat // stateful IPv6 firewall of the gateway
	detour *detour
	stun   STUNSpec
	public uint16 // the collector's public port
	front  uint16 // port to which it is redirected
	// toPublic contains the connections to the public port, because some connect
	// directly to the port behind it.
	toPublic map[netip.AddrPort]bool
	lanes    [hosts - 1][2][]*lane // by segment, direction and phase
	from     [hosts - 1][2][]int64 // start of each phase
	queue    events
	order    int
	deliver  func(host int, p packet)
	// shows is the provider router's address toward the inside, if it is not
	// ispAddr.
	shows netip.Addr
	truth []*Passage
}

// maxPassages limits the memory of a truth; a check has a few thousand.
const maxPassages = 1 << 20

// flight is a packet in transit.
type flight struct {
	packet packet
	truth  *Passage // nil for a packet of a router
}

// newRoute prepares a scenario that begins at nowNS. The same seed yields the same
// fate for the same packets.
func newRoute(s Scenario, seed uint64, nowNS int64, deliver func(int, packet)) (*route, error) {
	r := &route{plan: planOf(s), deliver: deliver, toPublic: map[netip.AddrPort]bool{}}
	stream := uint64(0)
	random := func() *rand.Rand { stream++; return rand.New(rand.NewPCG(seed, stream)) }
	r.nats[atGateway] = newNAT(s.NAT, r.plan.wan, random())
	if s.CGNAT != nil {
		r.nats[atISP] = newNAT(*s.CGNAT, publicAddr, random())
		r.shows, _ = netip.ParseAddr(s.CGNAT.Shows) // without an address it is not used
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

// laneAt returns the current phase; nil for a segment without effect.
func (r *route) laneAt(segment int, d Direction, nowNS int64) *lane {
	var l *lane
	for i, from := range r.from[segment][d] {
		if from <= nowNS {
			l = r.lanes[segment][d][i]
		}
	}
	return l
}

// send accepts a packet that host has sent.
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
		h, isRTP := p.rtp()
		f.truth.Seq, f.truth.Stamp, f.truth.SSRC, f.truth.RTP = h.Seq, h.Stamp, h.SSRC, isRTP
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

// leaveServer reverses the redirection of the public port, and simulates a faulty
// STUN server.
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

// isBelow reports whether addr is on the home's side of a router.
func (r *route) isBelow(host int, addr netip.Addr) bool {
	return addr == r.plan.home || addr == home6Addr || host == atISP && (addr == r.plan.wan || addr == gateway6Addr)
}

// enter passes a packet to the segment from host in direction d.
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

// refused returns why a filter or the MTU drops a packet.
func (r *route) refused(l *lane, host, next int, d Direction, f flight, nowNS int64) string {
	p, port := f.packet, f.packet.dst().Port()
	if d == Down {
		port = p.src().Port()
	}
	if l.block.matches(p, port) && !l.allow.matches(p, port) {
		if l.Reject {
			r.sendUnreachable(icmpProhibited, 0, host, next, d, p, nowNS)
		}
		return dropBlocked
	}
	if l.MTU == 0 || len(p) <= l.MTU || !p.dontFragment() {
		return "" // without DF a router would fragment it
	}
	if !l.MTUSilent {
		r.sendUnreachable(icmpFragNeeded, l.MTU, host, next, d, p, nowNS)
	}
	return dropMTU
}

// sendUnreachable responds with "destination unreachable" and a code. For packets of an
// end host the nearest router responds.
func (r *route) sendUnreachable(code byte, mtu, host, next int, d Direction, p packet, nowNS int64) {
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
	// The packet has been translated at this point, so the response is translated
	// too.
	r.arrive(host, 1-d, flight{packet: answer}, nowNS)
}

// routerAddr returns the address of a router toward the source of a packet with
// direction d.
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

// arrive processes a packet that arrives at a host.
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

// translator returns the NAT of a router for this kind of packet; nil if there is
// none.
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

// step delivers the packets that are due, and returns the time until the next one.
// It calls now for each packet, so that the time that the link itself needs counts
// as delay.
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

// pushOut delays a packet that leaves the server.
func (r *route) pushOut(atNS int64, f flight) {
	r.order++
	heap.Push(&r.queue, event{atNS: atNS, order: r.order, host: atServer, direction: Down, flight: f, leaves: true})
}

// event is a packet that will arrive at a host.
type event struct {
	atNS      int64
	order     int
	host      int
	direction Direction
	flight    flight
	leaves    bool // it is at the host already, and leaves then
}

// events is a heap; events with equal times keep their order.
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
