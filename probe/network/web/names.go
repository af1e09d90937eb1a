package web

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
)

// Faults of a name, as in NetworkWeb.DNSError.
const (
	dnsNotFound  = "not_found"     // it does not exist
	dnsHidden    = "hidden"        // it exists, and its addresses are suppressed
	dnsTimeout   = "timeout"       // no response
	dnsRefused   = "refused"       // the name server refuses this computer
	dnsServFail  = "servfail"      // the name server failed
	dnsTruncated = "truncated"     // only the beginning of the response arrived, and none over TCP
	dnsFalse     = "false"         // an unusable address, or that of the local router
	dnsSearched  = "search_domain" // the name does not exist, but it does with the network's search domain appended
	dnsHijacked  = "hijacked"      // names that cannot exist have the same address
	dnsOther     = "other"
)

// nameTime limits the look-up of the server's name. A system uses its second name server after 5 s
// (resolv.conf(5)), and other programs then get their answer.
const nameTime = 6500 * time.Millisecond

// explainName determines the exact response after a failed look-up: package net distinguishes
// neither a refusal from a failure nor a name without an address from one that does not exist.
func (j *journey) explainName(ctx context.Context) {
	if j.data.DNSError == "" || j.data.DNSError == dnsTimeout || j.data.DNSError == dnsFalse || j.proxy != nil || j.NameServers == nil {
		return
	}
	for _, server := range j.NameServers.Servers() {
		if kind := j.reasonOf(ctx, server); kind != "" {
			j.data.DNSError = kind
			return
		}
	}
}

// reasonOf queries one server; "" if it does not respond, or to one of two questions that need both
// answers.
//
// Against DNS rebinding, home routers suppress private addresses of public names: some by an answer
// without an address, some by "no such name", which a query for another record type contradicts
// (RFC 8020 §2).
func (j *journey) reasonOf(ctx context.Context, server netip.AddrPort) string {
	kinds := []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeSOA}
	answers := make([]lookup.Answer, len(kinds))
	errs := make([]error, len(kinds))
	var wg guard.Group
	for i, kind := range kinds {
		wg.Go(func() { answers[i], errs[i] = j.NameServers.Ask(ctx, server, j.target.Hostname(), kind) })
	}
	wg.Wait()
	if errs[0] != nil {
		return ""
	}
	exists := func(i int) bool { return errs[i] == nil && answers[i].Code == dnsmessage.RCodeSuccess }
	switch a := answers[0]; {
	case a.Truncated:
		return dnsTruncated
	case a.Code == dnsmessage.RCodeServerFailure:
		return dnsServFail
	case a.Code == dnsmessage.RCodeRefused:
		return dnsRefused
	case a.Code == dnsmessage.RCodeNameError && !exists(1) && !exists(2):
		return dnsNotFound
	case a.Code == dnsmessage.RCodeNameError, a.Code == dnsmessage.RCodeSuccess && len(a.Addrs) == 0 && exists(1) && len(answers[1].Addrs) == 0:
		return dnsHidden
	}
	return ""
}

// verifyName checks, after the connection failed, whether the address belongs to the server, and
// sends the fault for DNSError. The first answer for a name with a dot must not come from the
// search list, and no name exists under .invalid (RFC 6761 §6.4).
func (j *journey) verifyName(ctx context.Context) <-chan string {
	host := j.target.Hostname()
	_, err := netip.ParseAddr(host)
	led := j.data.Stage == stageDNS || j.data.TLSError != ""
	found := make(chan string, 1)
	if err == nil || j.proxy != nil || !led || len(j.addrs) == 0 || !strings.Contains(host, ".") {
		found <- ""
		return found
	}
	var random [8]byte
	_, randErr := io.ReadFull(j.env.Rand, random[:])
	guard.Go(j.env.Log, func() {
		fault := ""
		defer func() { found <- fault }()
		var searched, impossible bool
		var wg guard.Group
		wg.Go(func() { searched = j.isSearched(ctx) })
		wg.Go(func() {
			impossible = randErr == nil && j.hasAddresses(ctx, hex.EncodeToString(random[:])+".invalid.")
		})
		wg.Wait()
		switch {
		case impossible:
			fault = dnsHijacked
		case searched:
			fault = dnsSearched
		}
	})
	return found
}

// isSearched reports whether the name does not exist as given and has its addresses with a search
// domain appended. The first condition alone is not sufficient: a hosts file may contain names that
// no server knows.
func (j *journey) isSearched(ctx context.Context) bool {
	if j.NameServers == nil {
		return false
	}
	domains := j.NameServers.Search()
	if len(domains) == 0 {
		return false
	}
	_, err := j.Resolver.LookupNetIP(ctx, "ip", j.target.Hostname()+".")
	e, ok := errors.AsType[*net.DNSError](err)
	return ok && e.IsNotFound && slices.ContainsFunc(domains, func(d string) bool {
		return j.hasAddresses(ctx, j.target.Hostname()+"."+d+".")
	})
}

// hasAddresses reports whether a name has all the addresses found for the server.
func (j *journey) hasAddresses(ctx context.Context, name string) bool {
	addrs, err := j.Resolver.LookupNetIP(ctx, "ip", name)
	return err == nil && len(addrs) > 0 && !slices.ContainsFunc(j.addrs, func(a netip.Addr) bool {
		return !slices.ContainsFunc(addrs, func(b netip.Addr) bool { return a.Unmap() == b.Unmap() })
	})
}

// lookForDeadServer queries every name server if the first answer took as long as a repeated query.
// It sends whether the first server is silent while another one answers. Other programs wait for it
// at each new name.
func (j *journey) lookForDeadServer(ctx context.Context) <-chan *bool {
	found := make(chan *bool, 1)
	if j.NameServers == nil || j.proxy != nil || j.data.DNSMS == nil || *j.data.DNSMS < slowNameMS {
		found <- nil
		return found
	}
	servers := j.NameServers.Servers()
	if len(servers) < 2 {
		found <- nil
		return found
	}
	guard.Go(j.env.Log, func() {
		var dead *bool
		defer func() { found <- dead }()
		ctx, cancel := context.WithTimeout(ctx, silentTime)
		defer cancel()
		answered := make([]bool, len(servers))
		var wg guard.Group
		for i, s := range servers {
			wg.Go(func() {
				_, err := j.NameServers.Ask(ctx, s, j.target.Hostname(), dnsmessage.TypeA)
				answered[i] = err == nil
			})
		}
		wg.Wait()
		dead = new(!answered[0] && slices.Contains(answered[1:], true))
	})
	return found
}

// slowNameMS is when lookup.Patient repeats its query.
const slowNameMS = 600
