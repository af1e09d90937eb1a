package nat

import (
	"context"
	"net/netip"

	"github.com/pion/stun/v2"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/report"
)

// NewBehavior returns the probe "nat.behavior": mapping, filtering and hairpinning according
// to RFC 5780. Its data is a *report.NATBehavior. It needs a STUN server with two addresses and
// two ports; with less it reports so.
func NewBehavior(c Config) probe.Probe {
	if c.Timers == (Timers{}) {
		c.Timers = DefaultTimers
	}
	return behavior{c}
}

type behavior struct{ Config }

func (behavior) Name() string { return report.ProbeNATBehavior }
func (behavior) Version() int { return 1 }

// Run uses the first server that answers over UDP. Its tests run concurrently, each on its own
// socket, because silence takes the whole retransmission schedule.
func (p behavior) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	data := &report.NATBehavior{}
	unknown := func(note string) (probe.Result, error) {
		return probe.Result{Status: report.StatusUnknown, Note: note, Data: data}, nil
	}
	config, fault := p.list(ctx, env)
	if fault != "" {
		return unknown(fault)
	}
	l := p.firstResponding(ctx, env, resolve(ctx, env, serversOf(config)))
	if l == nil {
		return unknown("no STUN server answered over UDP")
	}
	defer l.socket.close()
	p.describe(ctx, l, data)
	if data.Mapping == "" {
		return unknown("the STUN server cannot tell the behaviour of a NAT")
	}
	return probe.Result{Status: report.StatusOK, Data: data}, nil
}

// firstResponding sends to all targets at once, because silence takes the whole schedule, and
// returns the first in order that answered; nil if none did. It stops waiting once it has one that
// is sufficient: IPv4, where NATs exist, with a second address.
func (p behavior) firstResponding(ctx context.Context, env probe.Env, targets []target) *lab {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	labs := make([]*lab, len(targets))
	var wg guard.Group
	for i, t := range targets {
		if !t.udp {
			continue
		}
		wg.Go(func() {
			l := &lab{env: env, timers: p.Timers, primary: t.addr, proof: t.proof}
			if !l.open(ctx) {
				return
			}
			labs[i] = l
			if _, two := l.other(); two && t.addr.Addr().Is4() {
				enough()
			}
		})
	}
	wg.Wait()
	var first *lab
	for _, l := range labs {
		switch {
		case l == nil:
		case first == nil:
			first = l
		default:
			l.socket.close()
		}
	}
	return first
}

// describe runs the tests against the server of l.
func (p behavior) describe(ctx context.Context, l *lab, data *report.NATBehavior) {
	first := l.first
	data.UDP, data.ALG = new(true), first.rewritten
	if !first.mapped.IsValid() {
		return
	}
	data.PublicAddress = report.Truncate(first.mapped.Addr())
	if p.KeepPublicAddress {
		data.PublicAddress = first.mapped.Addr().String()
	}
	data.CGNAT = sharedByProvider(l.socket.own)
	translated := first.translated != nil && *first.translated
	var wg guard.Group
	wg.Go(func() { data.Mapping = l.mapping(ctx) })
	wg.Go(func() { data.Filtering = l.filtering(ctx) })
	if translated {
		data.PortPreserved = new(first.mapped.Port() == l.socket.port)
		wg.Go(func() { data.Hairpin = l.hairpin(ctx) })
		if p.Lifetime > 0 {
			wg.Go(func() { data.BindingLifetimeS = l.lifetime(ctx, p.Lifetime) })
		}
	}
	wg.Wait()
	data.LegacyName = legacyName(data.Mapping, data.Filtering)
}

// sharedByProvider points to true if this computer itself has an address of the range for
// carrier-grade NAT (RFC 6598). It is nil otherwise, because other addresses prove nothing.
func sharedByProvider(own []netip.Addr) *bool {
	shared := netip.MustParsePrefix("100.64.0.0/10")
	for _, a := range own {
		if shared.Contains(a) {
			return new(true)
		}
	}
	return nil
}

// legacyName returns the name of the behaviour in RFC 3489 §5.
func legacyName(mapping, filtering string) string {
	switch {
	case mapping == "" || filtering == "" && (mapping == "none" || mapping == "EIM"):
		return ""
	case mapping == "none" && filtering == "EIF":
		return "open internet"
	case mapping == "none":
		return "UDP firewall"
	case mapping != "EIM":
		return "symmetric"
	case filtering == "EIF":
		return "full cone"
	case filtering == "ADF":
		return "restricted cone"
	}
	return "port restricted cone"
}

// lab is the test setup for one server.
type lab struct {
	env     probe.Env
	timers  Timers
	primary netip.AddrPort
	proof   credentials
	socket  *udpSocket
	first   exchange // test I on socket
}

// open performs test I on a new socket.
func (l *lab) open(ctx context.Context) bool {
	s, err := openUDP(l.env, l.primary)
	if err != nil {
		return false
	}
	if l.first = s.ask(ctx, l.timers, basic(l.primary)); l.first.state != answered {
		s.close()
		return false
	}
	l.socket = s
	return true
}

// other returns the server's second address, if it is usable: one with the same address or port as
// the first would make every NAT look permissive.
func (l *lab) other() (netip.AddrPort, bool) {
	o := l.first.other
	ok := o.IsValid() && o.Addr() != l.primary.Addr() && o.Port() != l.primary.Port() && o.Addr().Is4() == l.primary.Addr().Is4()
	return o, ok
}

// mapping determines the mapping by RFC 5780 §4.3; "" if unknown.
func (l *lab) mapping(ctx context.Context) string {
	if l.first.translated != nil && !*l.first.translated {
		return "none"
	}
	other, ok := l.other()
	if !ok {
		return ""
	}
	second := l.socket.ask(ctx, l.timers, basic(netip.AddrPortFrom(other.Addr(), l.primary.Port())))
	if !second.mapped.IsValid() {
		return ""
	}
	if second.mapped == l.first.mapped {
		return "EIM"
	}
	third := l.socket.ask(ctx, l.timers, basic(other))
	switch {
	case !third.mapped.IsValid():
		return ""
	case third.mapped == second.mapped:
		return "ADM"
	}
	return "APDM"
}

// Flags of CHANGE-REQUEST (RFC 5780 §7.2).
const (
	changePort = 0x02
	changeBoth = 0x06
)

// filtering determines the filtering by RFC 5780 §4.4; "" if unknown.
func (l *lab) filtering(ctx context.Context) string {
	other, ok := l.other()
	if !ok {
		return ""
	}
	var both, port, direct state
	var wg guard.Group
	wg.Go(func() { both = l.changed(ctx, changeBoth, other) })
	wg.Go(func() { port = l.changed(ctx, changePort, netip.AddrPortFrom(l.primary.Addr(), other.Port())) })
	wg.Go(func() { direct = l.askFresh(ctx, basic(other)) })
	wg.Wait()
	switch {
	case both == answered:
		return "EIF"
	case both != silent, direct != answered:
		return "" // the server's second address may be unable to send
	case port == answered:
		return "ADF"
	case port == silent:
		return "APDF"
	}
	return ""
}

// changed requests an answer from another address, on a socket that has only contacted the primary
// one. The result is silent only if the primary address answers before and after: a dead line must
// not look like a filter.
func (l *lab) changed(ctx context.Context, flags byte, from netip.AddrPort) state {
	s, err := openUDP(l.env, l.primary)
	if err != nil {
		return notAsked
	}
	defer s.close()
	if s.ask(ctx, l.timers, basic(l.primary)).state != answered {
		return notAsked
	}
	e := s.ask(ctx, l.timers, question{
		to: l.primary, from: []netip.AddrPort{from, l.primary},
		attributes: []stun.Setter{stun.RawAttribute{Type: stun.AttrChangeRequest, Value: []byte{0, 0, 0, flags}}},
	})
	switch {
	case e.state == answered && e.from == l.primary:
		return notAsked // the server does not support CHANGE-REQUEST
	case e.state == silent && s.ask(ctx, l.timers, basic(l.primary)).state != answered:
		return notAsked
	}
	return e.state
}

// askFresh sends q on its own socket.
func (l *lab) askFresh(ctx context.Context, q question) state {
	s, err := openUDP(l.env, l.primary)
	if err != nil {
		return notAsked
	}
	defer s.close()
	return s.ask(ctx, l.timers, q).state
}
