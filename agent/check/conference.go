package check

import (
	"context"
	"fmt"
	"net/url"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// findSystem returns the probe of the conference system at the target; nil if there
// is no target or its system is unknown.
func (o Options) findSystem(ctx context.Context, env probe.Env) (probe.Probe, error) {
	if o.Target == "" || o.Plan != nil {
		return nil, nil
	}
	c := conference.Config{Address: o.Target, System: o.targetSystem, Room: o.room, JoinLink: o.joinLink, Token: o.token, NoMedia: !o.callsSystem()}
	if o.limits != nil {
		c.Ports.TCP, c.Ports.UDP = o.limits.PortsOf(report.ProbeZoom).Tried() // no other system uses them
	}
	if o.Collector != nil {
		c.RootCAs = o.Collector.RootCAs
		if u, err := origin.Parse(o.Collector.URL); err == nil {
			c.Ports.Control = u
		}
	}
	p, err := conference.Find(ctx, c, env)
	if err != nil {
		return nil, fmt.Errorf("recognise the conference system: %w", err)
	}
	return p, nil
}

// site returns the host of the target; "" if there is none.
func (o Options) site() string {
	u, err := url.Parse(conference.WebAddress(o.Target))
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// callsSystem reports whether the check may call the conference system, which opens a
// media path there and joins a test meeting: only if a person at this computer started
// the check or agreed to it. The background service also checks while a session is in
// progress, which such a call would burden; the same applies to retests by phone support
// without the person (NoAudio).
func (o Options) callsSystem() bool {
	return o.Trigger == report.TriggerCheck || o.Trigger == report.TriggerSupport && !o.NoAudio
}
