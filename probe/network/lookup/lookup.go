// Package lookup finds the addresses of names, with more patience for a lossy
// line than the system has, and connects to them.
package lookup

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Resolver looks up names, as *net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Patient asks for both families apart, and again while no answer comes. The
// system itself waits 5 s for each before it asks again or asks another name server
// (resolv.conf(5)), so that one lost packet or one dead server is longer than a check
// may take, and a server that never answers for IPv6 hides the address it gave for
// IPv4.
type Patient struct {
	Resolver
	// Again is what is asked when no answer came in time; nil asks Resolver. To ask
	// the same net.Resolver would not send anything: it merges equal questions that
	// are under way.
	Again func() Resolver
	// Others are the name servers that the system would turn to only after that,
	// each by itself; nil for none. Of them only an address counts: that one of
	// them does not know a name may be why it is not the first.
	Others func() []Resolver
}

// When the question is repeated, and when others are asked: late enough not to double
// it on slow lines, early enough that one lost packet does not make a name slow.
const (
	askAgain  = 600 * time.Millisecond
	askOthers = 1500 * time.Millisecond
)

// How long the second family may take after the first. RFC 8305 §3 has 50 ms
// for whoever wants to connect; here both are of interest, and IPv4 is waited
// for longer, since many computers cannot use the other.
const (
	waitFor6 = 250 * time.Millisecond
	waitFor4 = 2 * time.Second
)

type answer struct {
	addrs []netip.Addr
	err   error
}

// LookupNetIP is that of [net.Resolver]; network is ip, ip4 or ip6.
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

// bothOf puts two families together. A name that has but one of them is there;
// of two faults, the one that is no mere lack of that family is told.
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

// attempt is one of the ways in which a name is asked for.
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

// repeat asks until one of the questions is answered.
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
			last = r.answer // better than nothing, once the first has kept silent for good
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
