// Package lookup resolves names with more retries for a lossy line than the system has, and connects to them.
package lookup

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Resolver resolves names, like *net.Resolver.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Patient queries both families separately, and repeats a query while there is no response. The system waits 5 s before it
// repeats a query or uses another name server (resolv.conf(5)), so one lost packet or one dead server would take longer than
// a check may, and a server that never answers for IPv6 would hide the IPv4 address.
type Patient struct {
	Resolver
	// Again returns the resolver for repeated queries; nil means Resolver. Repeating a query with the same net.Resolver would
	// send nothing, because it merges equal queries in progress.
	Again func() Resolver
	// Others returns a resolver for each name server that the system uses only later; nil for none. Their negative answers count
	// only if the first server never answers: a server may be later in the list because it does not resolve all names.
	Others func() []Resolver
}

// When a query is repeated, and when others are used: late enough not to double the traffic on slow lines, early enough that
// one lost packet does not delay a name much.
const (
	askAgain  = 600 * time.Millisecond
	askOthers = 1500 * time.Millisecond
)

// How long the second family may take after the first. RFC 8305 §3 uses 50 ms for connecting; here both are of interest, and
// IPv4 gets more time, because many computers cannot use IPv6.
const (
	waitFor6 = 250 * time.Millisecond
	waitFor4 = 2 * time.Second
)

type answer struct {
	addrs []netip.Addr
	err   error
}

// LookupNetIP is like [net.Resolver.LookupNetIP]; network is ip, ip4 or ip6.
func (p Patient) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if network != "ip" {
		a := p.repeat(ctx, network, host)
		return a.addrs, a.err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer, 2)
	for _, family := range []string{"ip4", "ip6"} {
		go func() { answers <- p.repeat(ctx, family, host) }()
	}
	first := <-answers
	if first.err != nil && len(first.addrs) == 0 {
		return bothOf(first, <-answers)
	}
	patience := waitFor6
	if !slices.ContainsFunc(first.addrs, func(a netip.Addr) bool { return a.Unmap().Is4() }) {
		patience = waitFor4
	}
	select {
	case second := <-answers:
		return bothOf(first, second)
	case <-time.After(patience):
		return first.addrs, nil
	}
}

// bothOf merges the answers for two families. Addresses of one family are sufficient. Of two errors it returns the one that says
// more than that the name has no address of that family.
func bothOf(a, b answer) ([]netip.Addr, error) {
	all := slices.Concat(a.addrs, b.addrs)
	if len(all) > 0 {
		return all, nil
	}
	if e, ok := errors.AsType[*net.DNSError](a.err); ok && e.IsNotFound && b.err != nil {
		return nil, b.err
	}
	return nil, a.err
}

// attempt is one way to query a name.
type attempt struct {
	after    time.Duration
	resolver Resolver
	// second is true for a server that is not the system's first choice.
	second bool
}

func (p Patient) attempts() []attempt {
	again := func() Resolver { return p.Resolver }
	if p.Again != nil {
		again = p.Again
	}
	all := []attempt{{0, p.Resolver, false}, {askAgain, again(), false}, {askOthers, again(), false}}
	if p.Others != nil {
		for _, r := range p.Others() {
			all = append(all, attempt{askOthers, r, true})
		}
	}
	return all
}

// repeat queries until one of the attempts is answered.
func (p Patient) repeat(ctx context.Context, network, host string) answer {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all := p.attempts()
	type reply struct {
		answer
		second bool
	}
	replies := make(chan reply, len(all))
	for _, try := range all {
		go func() {
			if !wait(ctx, try.after) {
				replies <- reply{answer{err: ctx.Err()}, try.second}
				return
			}
			addrs, err := try.resolver.LookupNetIP(ctx, network, host)
			replies <- reply{answer{addrs, err}, try.second}
		}()
	}
	last := answer{err: context.DeadlineExceeded}
	for range all {
		r := <-replies
		switch {
		case r.err == nil:
			return r.answer
		case isTimeout(r.err):
			if ctx.Err() != nil {
				return last
			}
		case !r.second:
			return r.answer
		default:
			last = r.answer // used if the first one never answers
		}
	}
	return last
}

func wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	return ok && e.IsTimeout || errors.Is(err, context.DeadlineExceeded)
}
