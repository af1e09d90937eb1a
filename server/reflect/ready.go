package reflect

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

// NotReadyError lists what keeps the reflector from serving everybody. Its text
// names addresses of this machine and nothing else.
type NotReadyError struct{ Problems []string }

func (e *NotReadyError) Error() string { return strings.Join(e.Problems, "; ") }

// Check asks every address that the reflector hands out over UDP, and gives a
// [NotReadyError] where one does not answer. host is the name by which agents
// find the collector: unless it is one of this machine alone, an address that
// others can use must be there.
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

// silentOnes asks all addresses at once and names those that do not answer. That
// of a 1:1 translation outside (Config.MediaIPs) is not among them: from inside it
// may well not answer.
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
