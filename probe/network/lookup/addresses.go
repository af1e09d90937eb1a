package lookup

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// AddressesOf resolves the host of a URL; it returns none on failure.
func AddressesOf(ctx context.Context, r Resolver, raw string) []netip.Addr {
	u, ok := origin.Page(raw)
	if !ok {
		return nil
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		return []netip.Addr{a.Unmap()}
	}
	return Alternate(lookUpTwice(ctx, r, u.Hostname()))
}

// askAgainAfter is when a query is repeated: resolvers repeat a lost query only after 5 s
// (resolv.conf(5)).
const askAgainAfter = time.Second

// lookUpTime limits the look-up of a name.
const lookUpTime = 3 * time.Second

// lookUpTwice resolves a name and repeats the query if the answer takes long. The second query has a
// trailing dot; otherwise the resolver would merge it with the first.
func lookUpTwice(ctx context.Context, r Resolver, host string) (addrs []netip.Addr) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	answers := make(chan []netip.Addr, 2)
	ask := func(name string) {
		found, err := r.LookupNetIP(ctx, "ip", name)
		if err != nil {
			found = nil
		}
		answers <- found
	}
	go ask(host)
	again := time.NewTimer(askAgainAfter)
	defer again.Stop()
	for open := 1; open > 0; {
		select {
		case <-again.C:
			open++
			go ask(strings.TrimSuffix(host, ".") + ".")
		case addrs = <-answers:
			open--
			if len(addrs) > 0 {
				return addrs
			}
		}
	}
	return nil
}

// maxAddresses limits what is tried of a name with very many addresses.
const maxAddresses = 6

// Alternate interleaves the addresses of both families (RFC 8305 §4), without duplicates.
func Alternate(addrs []netip.Addr) (mixed []netip.Addr) {
	var families [2][]netip.Addr
	for _, a := range addrs {
		a = a.Unmap()
		f := 0
		if a.Is6() != addrs[0].Unmap().Is6() {
			f = 1
		}
		families[f] = append(families[f], a)
	}
	for i := range addrs {
		for _, f := range families {
			if i < len(f) && len(mixed) < maxAddresses {
				mixed = append(mixed, f[i])
			}
		}
	}
	return mixed
}
