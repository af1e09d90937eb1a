package network

import (
	"context"
	"encoding/hex"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"sync"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/echo"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Who rejected a port in the server's place, as PathPort.RejectedBy has it.
const (
	byHouse    = "house"    // the own router, or another one of the own network
	byProvider = "provider" // one of the first routers behind it
	byBeyond   = "beyond"   // any other
)

// seeWhoRejectsEach looks, for every port that was refused or rejected, at the
// source of the answer. The error of a failed connection does not name it: an ICMP
// "port unreachable" reads like the server's own refusal (RFC 1122 §4.2.3.9).
func (p path) seeWhoRejectsEach(ctx context.Context, env probe.Env, found surveyed, tried []*triedPort) {
	k, ok := p.Asker.(echo.Knocker)
	if !ok {
		return
	}
	var wg sync.WaitGroup
	for _, t := range tried {
		if t.answer == portRefused || t.answer == portRejected {
			wg.Go(func() { p.seeWhoRejects(ctx, env, k, found, t) })
		}
	}
	wg.Wait()
}

// seeWhoRejects asks without a limit on the way, for a firewall that answers. It
// asks several times, as firewalls send few complaints a second.
func (p path) seeWhoRejects(ctx context.Context, env probe.Env, k echo.Knocker, found surveyed, t *triedPort) {
	for range knocks {
		r, ok := knock(ctx, env, k, t, 0)
		switch {
		case ok && (r.Kind == echo.Unreachable || r.Kind == echo.Prohibited):
			t.rejectedBy(r, found)
			return
		case ok && r.Kind == echo.Reached && r.Complaint:
			t.answer, t.left = portRefused, nil // the server's own firewall
			return
		case ok:
			return
		}
	}
}

// rejectedBy notes who answered in the server's place.
func (t *triedPort) rejectedBy(r echo.Reply, found surveyed) {
	t.answer, t.by, t.left = portRejected, found.placeOf(r.From), nil
	t.noRoute = new(r.Kind == echo.Unreachable)
	if t.by == byHouse {
		t.left = new(false)
	}
}

// nearProvider is how many of the routers behind the own network count as the
// provider's: the one at the other end of the line and the next.
const nearProvider = 2

// houseBits is the length of the IPv6 network that a home or an office has at the
// least (RFC 6177 §2 recommends between /48 and /56).
const houseBits = 56

// placeOf says whose router an address belongs to.
func (f surveyed) placeOf(from netip.Addr) string {
	gateway := f.adapter.Gateway
	first := f.trace.hops[0]
	switch {
	case from == gateway.WithZone(""), gateway.IsValid() && from == first, !isOutside(from), f.isOwnNetwork6(from):
		return byHouse
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

// isOwnNetwork6 says whether an address lies in the same IPv6 network as this
// computer, whose addresses are public ones.
func (f surveyed) isOwnNetwork6(a netip.Addr) bool {
	local := f.adapter.Local
	if !a.Is6() || !local.Is6() || local.IsLinkLocalUnicast() {
		return false
	}
	own, err := local.WithZone("").Prefix(houseBits)
	return err == nil && own.Contains(a)
}

// whoRejectsAll is house or provider where one of them rejects every port of a
// server that was tried; "" where none does.
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

// anyProhibited says whether a firewall of the own network said that it does not
// let a packet pass.
func anyProhibited(ports []report.PathPort) bool {
	return slices.ContainsFunc(ports, func(t report.PathPort) bool {
		return t.Answer == portRejected && t.RejectedBy == byHouse && t.NoRoute != nil && !*t.NoRoute
	})
}

// livesElsewhere says whether the line carries packets that are not for the
// server: where nobody on the way to the server shows itself, the way to another
// address and the name servers outside of the house are asked. A firewall may close
// the way to one address alone.
func (p path) livesElsewhere(ctx context.Context, env probe.Env, found surveyed) bool {
	if !found.far.isKnown() || found.direct || found.trace.noWay || found.trace.reached || found.trace.isOutside(found.adapter.Gateway) {
		return false
	}
	var way, names bool
	var wg sync.WaitGroup
	wg.Go(func() {
		t := p.traceTo(ctx, env, found.far.elsewhere)
		way = t.isOutside(found.adapter.Gateway)
	})
	wg.Go(func() { names = p.namesOutside(ctx, env) })
	wg.Wait()
	return way || names
}

// isOutside says whether a router behind the own network showed itself.
func (t trace) isOutside(gateway netip.Addr) bool {
	for i, hop := range t.hops {
		if isOutside(hop) && (i > 0 || !gateway.IsValid()) {
			return true
		}
	}
	return false
}

// namesOutside says whether a name server outside of the house answers. The name
// is one that no cache can know. That the server has trouble of its own is no
// answer: a router that takes questions to any server says so while its line is down.
func (p path) namesOutside(ctx context.Context, env probe.Env) bool {
	host := p.hostToAsk()
	var random [8]byte
	if p.NameServers == nil || host == "" {
		return false
	}
	if _, err := io.ReadFull(env.Rand, random[:]); err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, portWait)
	defer cancel()
	name := hex.EncodeToString(random[:]) + "." + host
	answers := make(chan bool)
	asked := 0
	for _, server := range p.NameServers.Servers() {
		if !isOutside(server.Addr()) {
			continue
		}
		asked++
		go func() {
			a, err := p.NameServers.Ask(ctx, server, name, dnsmessage.TypeA)
			answers <- err == nil && (a.Code == dnsmessage.RCodeSuccess || a.Code == dnsmessage.RCodeNameError)
		}()
	}
	any := false
	for range asked {
		any = <-answers || any
	}
	return any
}

// hostToAsk is the name of a server that the path leads to; "" where all of them
// are given by address.
func (p path) hostToAsk() string {
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
