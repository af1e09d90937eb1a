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
	"github.com/tonprobe/tonprobe/probe/guard"
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
	// The outcome if an answer of a relay cannot be processed.
	t := &Test{v: v, done: make(chan struct{}), outcome: visit.Untested("not_measured")}
	guard.Go(v.Env.Log, func() {
		defer close(t.done)
		ctx, cancel := context.WithTimeout(ctx, visit.StreamTime)
		defer cancel()
		began := v.Env.Clock.Now()
		relays, unnamed := nat.Permissions(ctx, v.Env, nat.TURNConfig{RootCAs: v.RootCAs, Proxy: v.Proxy()}, list.ICEConfig, media)
		t.relays = relays
		t.outcome = judge(tried{relays: relays, unnamed: unnamed, media: media, ended: ctx.Err() != nil}, list)
		t.took = visit.Milliseconds(v.Env.Clock.Now().Sub(began))
	})
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

// tried is what is known about the relays of a list.
type tried struct {
	relays []report.TURNRelay
	// unnamed is the number of relays whose names could not be resolved.
	unnamed int
	// media is the address whose permission was requested; the zero value for none.
	media netip.Addr
	ended bool // the time of the test ended
}

// judge returns the outcome of the relays. One working relay is sufficient; entries that no
// client can use are a warning, and so are relays that answer and are of no use: a participant
// whose network lets out only one transport may reach no other. A silent relay is one only if
// another relay works over the same transport and port: otherwise, the participant's firewall
// may be the reason.
func judge(t tried, list List) visit.Outcome {
	allocated := func(r report.TURNRelay) bool { return r.Allocated != nil && *r.Allocated }
	works := func(r report.TURNRelay) bool {
		return allocated(r) && (r.Permitted != nil && *r.Permitted || r.Permitted == nil && !t.media.IsValid())
	}
	oneWorks, answer := slices.ContainsFunc(t.relays, works), refusal(t.relays)
	switch {
	case oneWorks && list.Bad > 0:
		return visit.Outcome{Status: report.StatusWarn, Code: "bad_entry"}
	case oneWorks && answer != "":
		return visit.Outcome{Status: report.StatusWarn, Code: answer}
	case oneWorks && t.deadBeside(works):
		return visit.Outcome{Status: report.StatusWarn, Code: "unreachable"}
	case oneWorks:
		return visit.OK()
	case !list.HasTURN() && list.Bad > 0:
		return visit.Fault("bad_entry")
	case !list.HasTURN():
		return visit.Outcome{Status: report.StatusSkipped, Code: "no_relay"}
	}
	// The response of a relay takes precedence over silence, which the line may have caused.
	if answer != "" {
		return visit.Fault(answer)
	}
	// A relay allocated an address, but did not answer the request for the permission.
	silent := slices.ContainsFunc(t.relays, allocated)
	switch {
	case t.ended && (silent || len(t.relays) == 0):
		return visit.Untested(visit.NoTime)
	case silent && t.media.Unmap().Is4():
		return visit.Untested("no_answer")
	case silent: // the addresses of the relays are of the other family, so it was not requested
		return visit.Untested("not_measured")
	case len(t.relays) == 0 && t.unnamed > 0: // by the server's entry or by the name server
		return visit.Untested("no_name")
	case len(t.relays) == 0: // no route to any of them
		return visit.Untested("not_measured")
	}
	return visit.Fault("unreachable")
}

// deadBeside reports whether a relay is silent although another one works over the same transport
// and port. Clients wait for it each time (RFC 8489 §6.2.1).
func (t tried) deadBeside(works func(report.TURNRelay) bool) bool {
	return slices.ContainsFunc(t.relays, func(dead report.TURNRelay) bool {
		return dead.Error == "unreachable" && dead.Port != nil && slices.ContainsFunc(t.relays, func(r report.TURNRelay) bool {
			return works(r) && r.Transport == dead.Transport && r.Port != nil && *r.Port == *dead.Port
		})
	})
}

// refusal returns the reason why a relay that answered is of no use; "" if there is no such relay.
func refusal(relays []report.TURNRelay) string {
	for _, fault := range []struct{ relay, code string }{
		{"denied", "denied"}, {"auth_failed", "auth_failed"}, {"quota", "quota"}, {"tls", "certificate"}, {"other", "other"},
	} {
		if slices.ContainsFunc(relays, func(r report.TURNRelay) bool { return r.Error == fault.relay }) {
			return fault.code
		}
	}
	return ""
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
