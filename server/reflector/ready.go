package reflector

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/pion/stun/v4"
)

// NotReadyError lists what prevents the reflector from serving all clients. Its text contains
// only addresses of this machine.
type NotReadyError struct{ Problems []string }

func (e *NotReadyError) Error() string { return strings.Join(e.Problems, "; ") }

// Check sends a request to every advertised UDP address, and returns a [NotReadyError] if one
// does not answer. host is the name by which agents reach the collector: unless it is local to
// this machine, an address that others can use must exist.
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
		if far, _ := byReach(there); len(far) == 0 && p.fixed == nil && host != "" && !isLoopbackHost(host) {
			add("UDP port %d: this machine has no address yet but loopback", p.port)
		}
	}
	if err := r.relay.discovery.missing(); err != nil {
		add("%v", err)
	}
	problems = append(problems, silentOnes(ctx, r.relay.ports.addresses(), bindingQuestion)...)
	question, end := r.mediaQuestion()
	defer end()
	problems = append(problems, silentOnes(ctx, r.media.addresses(), question)...)
	if len(problems) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil && errors.Is(err, context.Canceled) {
		return err
	}
	return &NotReadyError{problems}
}

// silentOnes sends to all addresses at once and returns those that do not answer. It excludes
// addresses that are translated outside (Config.MediaIPs), which may not answer from inside.
func silentOnes(ctx context.Context, addrs []netip.AddrPort, question []stun.Setter) []string {
	ctx, cancel := context.WithTimeout(ctx, selfCheckWait)
	defer cancel()
	silent := make([]string, len(addrs))
	var all sync.WaitGroup
	for i, a := range addrs {
		all.Go(func() {
			if !oneAnswers(ctx, a, question) {
				silent[i] = fmt.Sprintf("UDP %s does not answer", a)
			}
		})
	}
	all.Wait()
	return slices.DeleteFunc(silent, func(s string) bool { return s == "" })
}
