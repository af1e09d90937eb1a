// Package conference checks the conference system that a council uses, as the system's
// own client would reach it. Each system is a subpackage with one entry in Systems.
package conference

import (
	"context"
	"crypto/x509"
	"net/url"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference/bbb"
	"github.com/tonprobe/tonprobe/probe/conference/janus"
	"github.com/tonprobe/tonprobe/probe/conference/livekit"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/conference/whip"
	"github.com/tonprobe/tonprobe/probe/conference/youtube"
	"github.com/tonprobe/tonprobe/probe/conference/zoom"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/report"
)

// System is one kind of conference system.
type System interface {
	// Name is the name of the probe, such as "conference.bbb".
	Name() string
	// Recognises reports whether an address, as people paste it, belongs to this
	// system. It sends nothing.
	Recognises(u *url.URL) bool
	// Base returns the part of such an address that a check uses, without secrets of a
	// meeting. Recognises is still true for it.
	Base(u *url.URL) *url.URL
	// Detect asks the server whether it belongs to this system.
	Detect(ctx context.Context, v *visit.Visit) bool
	// Check performs the steps and records them in v.Data.
	Check(ctx context.Context, v *visit.Visit)
}

// Systems returns the known systems in the order in which they are tried: those that
// recognise an address by its host or scheme come first.
func Systems() []System {
	return []System{zoom.System{}, youtube.System{}, whip.System{}, bbb.System{}, livekit.System{}, janus.System{}}
}

// systemOf returns the named system, such as "bbb".
func systemOf(name string) (System, bool) {
	all := Systems()
	i := slices.IndexFunc(all, func(s System) bool { return s.Name() == report.ConferenceGroup+"."+name })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}

// Config configures a check of a conference system.
type Config struct {
	// Address is the address as entered.
	Address string
	// System is the name of its system, such as "bbb"; "" if it is recognised by the
	// address.
	System string
	// Room opens a test room of the system; nil if there is none.
	Room *wire.Room
	// Token authorises the check at a WHIP endpoint; "" for none. It is a secret.
	Token string
	// NoMedia skips the call, for checks that nobody requested: a council session may be
	// in progress.
	NoMedia bool
	// RootCAs are the trusted authorities; nil means the system's.
	RootCAs *x509.CertPool
	// JoinLink admits the check to a test meeting of a BigBlueButton; nil for none. It is
	// a secret.
	JoinLink *url.URL
	// Direct ignores the proxies of this computer. Only tests set it.
	Direct bool
	// Ports are the published ports of a system whose media path is not public.
	Ports visit.Ports
	// Requested receives the requests of the steps; nil for none.
	Requested func(visit.Request)
}

// detectTime limits the queries to an address that does not identify its system.
const detectTime = 2500 * time.Millisecond

// Find returns the probe of the system at an address; nil if it is unknown. An address
// that does not identify its system is queried. The error is an [*origin.Error].
func Find(ctx context.Context, c Config, env probe.Env) (probe.Probe, error) {
	u, err := Parse(c.Address)
	if err != nil {
		return nil, err
	}
	if s, ok := systemOf(c.System); ok {
		return conference{c, s, s.Base(u)}, nil
	}
	all := Systems()
	if i := slices.IndexFunc(all, func(s System) bool { return s.Recognises(u) }); i >= 0 {
		return conference{c, all[i], all[i].Base(u)}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, detectTime)
	defer cancel()
	found := make([]bool, len(all))
	done := make(chan struct{}, len(all))
	for i, s := range all {
		guard.Go(env.Log, func() {
			defer func() { done <- struct{}{} }()
			v := visit.New(visit.Config{URL: s.Base(u), RootCAs: c.RootCAs, Direct: c.Direct}, env)
			defer v.Close()
			found[i] = s.Detect(ctx, v)
		})
	}
	for range all {
		<-done
	}
	if i := slices.Index(found, true); i >= 0 {
		return conference{c, all[i], all[i].Base(u)}, nil
	}
	return nil, nil
}

// conference is the probe of one system at one address.
type conference struct {
	Config
	System
	base *url.URL
}

// Version implements probe.Probe.
func (conference) Version() int { return 1 }

// Phases implements probe.Phased.
func (conference) Phases() []string {
	return []string{visit.PhaseStep, visit.PhaseRequests, visit.PhaseStream, nat.PhaseRelay, nat.PhaseRelayTLS}
}

// Run implements probe.Probe. A system that cannot be reached is a result.
func (c conference) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	v := visit.New(visit.Config{URL: c.base, RootCAs: c.RootCAs, Direct: c.Direct, Room: c.Room, JoinLink: c.JoinLink, Token: c.Token, NoMedia: c.NoMedia, Ports: c.Ports, Requested: c.Requested}, env)
	defer v.Close()
	c.Check(ctx, v)
	return judge(v.Data), nil
}

// judge derives the status of the probe from its steps.
func judge(d *report.Conference) probe.Result {
	r := probe.Result{Status: report.StatusUnknown, Data: d}
	failed := slices.ContainsFunc(d.Checks, func(c report.ConferenceCheck) bool { return c.Status == report.StatusFail })
	switch {
	case failed && d.Reachable != nil:
		r.Status = report.StatusWarn
	case d.Reachable != nil:
		r.Status = report.StatusOK
	default:
		r.Note = "the conference system did not answer over its own interface"
	}
	return r
}
