// Package relaytest tests the relays (TURN) of a conference system, concurrently with a
// call to it.
package relaytest

import (
	"context"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/report"
)

// List contains the servers that a conference system names for a session.
type List struct {
	wire.ICEConfig
	// Bad is the number of entries that no client can use, such as one without a scheme.
	Bad int
}

// Test is a running test of the relays.
type Test struct {
	v *visit.Visit

	done    chan struct{}
	relays  []report.TURNRelay
	outcome visit.Outcome
	took    float64
}

// Start requests from each relay the permission for the media server. Without an
// address of that server, no permission is requested.
func Start(ctx context.Context, v *visit.Visit, list List, media netip.Addr) *Test {
	t := &Test{v: v, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		ctx, cancel := context.WithTimeout(ctx, visit.StreamTime)
		defer cancel()
		began := v.Env.Clock.Now()
		t.relays = nat.Permissions(ctx, v.Env, nat.TURNConfig{RootCAs: v.RootCAs, Proxy: v.Proxy()}, list.ICEConfig, media)
		t.outcome = judge(t.relays, list)
		t.took = visit.Milliseconds(v.Env.Clock.Now().Sub(began))
	}()
	return t
}

// Record waits for the test and writes its result to the step of the relays, at the
// position where it was recorded before. A nil Test records nothing.
func (t *Test) Record() {
	if t == nil {
		return
	}
	<-t.done
	t.v.Data.Relays = t.relays
	step := report.ConferenceCheck{Name: report.StepRelay, Status: t.outcome.Status, Code: t.outcome.Code, MS: &t.took}
	i := slices.IndexFunc(t.v.Data.Checks, func(c report.ConferenceCheck) bool { return c.Name == report.StepRelay })
	if i < 0 {
		t.v.Data.Checks = append(t.v.Data.Checks, step)
		return
	}
	t.v.Data.Checks[i] = step
}

// judge returns the outcome of the relays. One working relay is sufficient; entries that no
// client can use are a warning.
func judge(relays []report.TURNRelay, list List) visit.Outcome {
	works := func(r report.TURNRelay) bool {
		return r.Allocated != nil && *r.Allocated && (r.Permitted == nil || *r.Permitted)
	}
	switch {
	case slices.ContainsFunc(relays, works) && list.Bad == 0:
		return visit.OK()
	case slices.ContainsFunc(relays, works):
		return visit.Outcome{Status: report.StatusWarn, Code: "bad_entry"}
	case !list.HasTURN() && list.Bad > 0:
		return visit.Fault("bad_entry")
	case !list.HasTURN():
		return visit.Outcome{Status: report.StatusSkipped, Code: "no_relay"}
	case len(relays) == 0:
		return visit.Untested(visit.NoTime)
	}
	// The response of a relay takes precedence over silence, which the line may have caused.
	for _, fault := range []string{"denied", "auth_failed", "quota", "tls", "other"} {
		if slices.ContainsFunc(relays, func(r report.TURNRelay) bool { return r.Error == fault }) {
			return visit.Fault(fault)
		}
	}
	return visit.Fault("unreachable")
}

// MediaAddress returns the first IPv4 address that an SDP names for the media, or else the first
// one; the zero value if it names no usable one. Relays allocate IPv4 addresses unless requested
// otherwise (RFC 8656 §7.2). ICE-lite servers put their addresses in candidates.
func MediaAddress(sdp string) (first netip.Addr) {
	for at := range mediaAddresses(sdp) {
		if at.Is4() {
			return at
		}
		if !first.IsValid() {
			first = at
		}
	}
	return first
}

// OnlyPrivate reports whether an SDP names addresses for the media, all of which are private
// (RFC 1918, RFC 4193). A name may belong to a public address.
func OnlyPrivate(sdp string) bool {
	all := slices.Collect(mediaAddresses(sdp))
	return len(all) > 0 && len(all) == strings.Count(sdp, "a=candidate:") && !slices.ContainsFunc(all, func(at netip.Addr) bool { return !at.IsPrivate() })
}

func mediaAddresses(sdp string) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for line := range strings.Lines(sdp) {
			fields := strings.Fields(line)
			if !strings.HasPrefix(line, "a=candidate:") || len(fields) < 8 {
				continue
			}
			if at, err := netip.ParseAddr(fields[4]); err == nil && !at.IsUnspecified() && !yield(at.Unmap()) {
				return
			}
		}
	}
}
