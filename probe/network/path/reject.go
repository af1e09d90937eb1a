package path

import (
	"context"
	"encoding/hex"
	"io"
	"net/netip"
	"net/url"
	"slices"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Who rejected a port in place of the server, as in PathPort.RejectedBy.
const (
	byLocal    = "lan"      // the local router, or another one of the local network
	byProvider = "provider" // one of the first routers behind it
	byBeyond   = "beyond"   // any other
)

// findRejecters determines the source of the answer for every refused or rejected port. The
// error of a failed connection does not contain it: an ICMP "port unreachable" looks like the
// server's own refusal (RFC 1122 §4.2.3.9).
func (p path) findRejecters(ctx context.Context, env probe.Env, found surveyed, tried []*triedPort) {
	k, ok := p.Asker.(echo.Knocker)
	if !ok {
		return
	}
	var wg guard.Group
	for _, t := range tried {
		if t.answer == portRefused || t.answer == portRejected {
			wg.Go(func() { p.findRejecter(ctx, env, k, found, t) })
		}
	}
	wg.Wait()
}

// findRejecter sends packets with a normal time to live to a firewall that answers. It repeats
// them, because firewalls limit ICMP errors.
func (p path) findRejecter(ctx context.Context, env probe.Env, k echo.Knocker, found surveyed, t *triedPort) {
	for range knocks {
		r, ok := knock(ctx, env, k, t, 0)
		switch {
		case ok && (r.Kind == echo.Unreachable || r.Kind == echo.Prohibited):
			t.rejectedBy(r, found)
			return
		case ok && r.Kind == echo.Reached && r.ICMPError:
			t.answer, t.left = portRefused, nil // the server's own firewall
			return
		case ok:
			return
		}
	}
}

// rejectedBy records the machine that answered in place of the server.
func (t *triedPort) rejectedBy(r echo.Reply, found surveyed) {
	t.answer, t.by, t.left = portRejected, found.placeOf(r.From), nil
	t.noRoute = new(r.Kind == echo.Unreachable)
	if t.by == byLocal {
		t.left = new(false)
	}
}

// nearProvider is the number of routers behind the local network that count as the provider's: the
// far end of the line and the next one.
const nearProvider = 2

// localPrefixBits is the prefix length of the smallest usual IPv6 network of a home or an office (RFC
// 6177 §2 recommends /48 to /56).
const localPrefixBits = 56

// placeOf returns the owner of a router's address.
func (f surveyed) placeOf(from netip.Addr) string {
	gateway := f.adapter.Gateway
	first := f.trace.hops[0]
	switch {
	case from == gateway.WithZone(""), gateway.IsValid() && from == first, !isOutside(from), f.isOwnNetwork6(from):
		return byLocal
	}
	outside := 0
	for i, hop := range f.trace.hops {
		if !isOutside(hop) || i == 0 && gateway.IsValid() || f.isOwnNetwork6(hop) {
			continue
		}
		if outside++; outside > nearProvider {
			break
		}
		if hop == from {
			return byProvider
		}
	}
	return byBeyond
}

// isOwnNetwork6 reports whether an address is in the IPv6 network of this computer, whose addresses
// are public.
func (f surveyed) isOwnNetwork6(a netip.Addr) bool {
	local := f.adapter.Local
	if !a.Is6() || !local.Is6() || local.IsLinkLocalUnicast() {
		return false
	}
	own, err := local.WithZone("").Prefix(localPrefixBits)
	return err == nil && own.Contains(a)
}

// whoRejectsAll returns lan or provider if it rejects every tried port of a server; "" otherwise.
func whoRejectsAll(ports []report.PathPort) string {
	for _, segment := range []string{segmentServer, segmentTransit} {
		by := ""
		for _, t := range ports {
			if t.Name != segment || t.Protocol != "tcp" {
				continue
			}
			if t.RejectedBy == "" || t.RejectedBy == byBeyond || by != "" && by != t.RejectedBy {
				by = ""
				break
			}
			by = t.RejectedBy
		}
		if by != "" {
			return by
		}
	}
	return ""
}

// anyProhibited reports whether a firewall of the local network rejected a packet by policy.
func anyProhibited(ports []report.PathPort) bool {
	return slices.ContainsFunc(ports, func(t report.PathPort) bool {
		return t.Answer == portRejected && t.RejectedBy == byLocal && t.NoRoute != nil && !*t.NoRoute
	})
}

// reachesElsewhere reports whether the line carries packets to other destinations. If nothing on the
// path to the server responds, it tests the path to another address and the name servers, because a
// firewall may block a single address. named reports whether a name server of the local network
// resolves new names, so that the silence of everything else may be a firewall's.
func (p path) reachesElsewhere(ctx context.Context, env probe.Env, found surveyed) (reached, named bool) {
	if !found.far.isKnown() || found.direct || found.trace.noRoute || found.trace.reached || found.trace.isOutside(found.adapter.Gateway) {
		return false, false
	}
	var route, outside bool
	var wg guard.Group
	wg.Go(func() {
		t := p.traceTo(ctx, env, found.far.elsewhere)
		route = t.isOutside(found.adapter.Gateway)
	})
	wg.Go(func() { outside, named = p.askNameServers(ctx, env) })
	wg.Wait()
	return route || outside, named
}

// isOutside reports whether a router behind the local network answered.
func (t trace) isOutside(gateway netip.Addr) bool {
	for i, hop := range t.hops {
		if isOutside(hop) && (i > 0 || !gateway.IsValid()) {
			return true
		}
	}
	return false
}

// askNameServers reports whether a name server outside answers, and whether one of the local network
// resolves a new name. The name is random, so that no cache contains it. A server failure does not
// count: a router that answers or intercepts queries sends it while its line is down, as it sends its
// own address. Neither a name server on this computer nor one that is responsible for the name proves
// anything about the line.
func (p path) askNameServers(ctx context.Context, env probe.Env) (outside, inside bool) {
	host := p.hostToQuery()
	var random [8]byte
	if p.NameServers == nil || host == "" {
		return false, false
	}
	if _, err := io.ReadFull(env.Rand, random[:]); err != nil {
		return false, false
	}
	ctx, cancel := context.WithTimeout(ctx, portWait)
	defer cancel()
	name := hex.EncodeToString(random[:]) + "." + host
	type answer struct{ outside, inside bool }
	answers := make(chan answer)
	asked := 0
	for _, server := range p.NameServers.Servers() {
		if server.Addr().IsLoopback() {
			continue
		}
		asked++
		guard.Go(env.Log, func() {
			var found answer
			defer func() { answers <- found }()
			a, err := p.NameServers.Ask(ctx, server, name, dnsmessage.TypeA)
			exists, absent := a.Code == dnsmessage.RCodeSuccess, a.Code == dnsmessage.RCodeNameError
			found = answer{
				outside: err == nil && isOutside(server.Addr()) && (exists || absent),
				inside:  err == nil && !a.Authoritative && !isOutside(server.Addr()) && (absent || exists && !a.Truncated && len(a.Addrs) == 0),
			}
		})
	}
	for range asked {
		a := <-answers
		outside, inside = outside || a.outside, inside || a.inside
	}
	return outside, inside
}

// hostToQuery returns the name of a far end; "" if all are given by address.
func (p path) hostToQuery() string {
	for _, raw := range []string{p.Collector, p.URL} {
		u, err := url.Parse(raw)
		if err != nil || u.Hostname() == "" {
			continue
		}
		if _, err := netip.ParseAddr(u.Hostname()); err != nil {
			return u.Hostname()
		}
	}
	return ""
}
