package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/agent/channel"
	agentcollector "github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/cmd/demo/evening"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui"
)

// Times of a made-up answer to a request for a check.
const (
	thinking  = 2 * time.Second
	levelStep = 200 * time.Millisecond
	levels    = 25
)

// attendant is a made-up person at their computer: a channel.Screen that agrees to each request and
// checks again, after they have done what support said.
type attendant struct {
	member member
	number int
	clock  probe.Clock

	mu    sync.Mutex // one delivery at a time
	fault evening.Fault
}

// attend keeps the channel of each computer open until ctx is done, which the returned function waits
// for.
func attend(ctx context.Context, members []member, clock probe.Clock) (all map[int]*attendant, wait func()) {
	var group sync.WaitGroup
	all = map[int]*attendant{}
	for i, m := range members {
		if m.computer == nil {
			continue
		}
		a := &attendant{member: m, number: i, clock: clock}
		all[i] = a
		log := slog.New(slog.DiscardHandler)
		client := channel.New(channel.Config{
			Endpoint: func() (*agentcollector.Endpoint, error) {
				return &agentcollector.Endpoint{URL: m.computer.endpoint.URL, Token: m.computer.endpoint.Token}, nil
			},
			Version: version, Retests: &channel.RetestHandler{Screen: a, Log: log},
			// The connection waits in real time, even if the clock of the evening is faster.
			Clock: probe.SystemClock{}, Random: mathrand.Float64, Log: log,
		})
		group.Go(func() { _ = client.Run(ctx) }) // it ends with ctx only
	}
	return all, group.Wait
}

// Ask implements channel.Screen.
func (a *attendant) Ask(ctx context.Context, r channel.Retest) (channel.Consent, error) {
	if err := a.clock.Sleep(ctx, thinking); err != nil {
		return channel.Consent{}, err
	}
	return channel.Consent{Given: true, Run: func(ctx context.Context, tell func(probe.Event)) (string, error) {
		return a.check(ctx, r.What, tell)
	}}, nil
}

// check emits the events of a check, and delivers its report.
func (a *attendant) check(ctx context.Context, what wire.RetestWhat, tell func(probe.Event)) (id string, err error) {
	a.mu.Lock()
	c := evening.Check{Person: a.number, Fault: a.fault.Afterwards(), Trigger: report.TriggerSupport, NetworkOnly: what == wire.RetestNetwork}
	a.mu.Unlock()
	r, err := c.Report(a.member.Person, a.member.computer.id, version, a.clock.Now(), rand.Reader)
	if err != nil {
		return "", err
	}
	for _, one := range r.Probes {
		tell(probe.Event{Probe: one.Name, Kind: probe.EventStarted})
	}
	for i := range levels {
		if !c.NetworkOnly {
			tell(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventLevel, Level: evening.Level(i)})
		}
		if err := a.clock.Sleep(ctx, levelStep); err != nil {
			return "", err
		}
	}
	for i := range r.Probes {
		tell(probe.Event{Probe: r.Probes[i].Name, Kind: probe.EventDone, Result: &r.Probes[i]})
	}
	// The report of the same check, with the time at which it ends.
	if r, err = c.Report(a.member.Person, a.member.computer.id, version, a.clock.Now(), rand.Reader); err != nil {
		return "", err
	}
	return r.ID, a.deliver(ctx, c, r)
}

// deliver sends the report of a check.
func (a *attendant) deliver(ctx context.Context, c evening.Check, r *report.Report) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if d := a.member.computer.deliver(ctx, report.Probes{}, r); d != tui.DeliverySent {
		return errors.Join(ctx.Err(), errNotDelivered)
	}
	a.fault = c.Fault
	return nil
}
