package reflector

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// NotReadyError lists what prevents the reflector from serving all clients. Its text contains
// only addresses of this machine.
type NotReadyError struct{ Problems []string }

func (e *NotReadyError) Error() string { return strings.Join(e.Problems, "; ") }

// Check returns a [NotReadyError] if an advertised UDP address did not answer within the
// last seconds, or the error of ctx. host is the name by which agents reach the collector:
// unless it is local to this machine, an address that others can use must exist.
func (r *Reflector) Check(ctx context.Context, host string) error {
	var problems []string
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, p := range []*ports{r.relay.ports, r.media.sockets} {
		for _, fault := range p.unserved() {
			add("%v", fault)
		}
		there := p.addresses()
		for _, ip := range p.fixed {
			if !slices.ContainsFunc(there, func(a netip.AddrPort) bool { return a.Addr() == ip }) {
				add("UDP port %d: this machine does not have %s now", p.port, ip)
			}
		}
		far := slices.ContainsFunc(there, func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() })
		if !far && p.fixed == nil && host != "" && !isLoopbackHost(host) {
			add("UDP port %d: this machine has no address yet but loopback", p.port)
		}
	}
	if err := r.relay.discovery.missing(); err != nil {
		add("%v", err)
	}
	found, err := r.self.latest(ctx)
	if err != nil {
		return err
	}
	there := slices.Concat(r.relay.ports.addresses(), r.media.addresses())
	for _, a := range found.silent {
		if slices.Contains(there, a) { // this machine may have lost it in the meantime
			add("UDP %s does not answer", a)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &NotReadyError{problems}
}
