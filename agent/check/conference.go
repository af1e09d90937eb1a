package check

import (
	"context"
	"fmt"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/report"
)

// findSystem returns the probe of the conference system at the target; nil if there
// is no target or its system is unknown.
func (o Options) findSystem(ctx context.Context, env probe.Env) (probe.Probe, error) {
	if o.Target == "" || o.Plan != nil {
		return nil, nil
	}
	c := conference.Config{Address: o.Target, System: o.targetSystem, Room: o.room, JoinLink: o.joinLink, Token: o.token, NoMedia: o.Trigger == report.TriggerSchedule}
	if o.Collector != nil {
		c.RootCAs = o.Collector.RootCAs
	}
	p, err := conference.Find(ctx, c, env)
	if err != nil {
		return nil, fmt.Errorf("recognise the conference system: %w", err)
	}
	return p, nil
}
