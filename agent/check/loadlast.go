package check

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// loadLast lets media.load begin when all others have ended: a full line would
// look like a fault to every one of them.
func loadLast(plan probe.Plan) probe.Plan {
	at := slices.IndexFunc(plan, func(s probe.Step) bool { return s.Probe.Name() == report.ProbeMediaLoad })
	if at < 0 {
		return plan
	}
	var others sync.WaitGroup
	var longest time.Duration
	ordered := slices.Clone(plan)
	for i, s := range plan {
		if i == at {
			continue
		}
		others.Add(1)
		ordered[i].Probe = counted{s.Probe, &others}
		longest = max(longest, s.Budget+probe.Grace)
	}
	ordered[at] = probe.Step{Probe: last{plan[at].Probe, &others}, Budget: longest + plan[at].Budget}
	return ordered
}

// counted tells the others when its probe has ended, however it did.
type counted struct {
	probe.Probe
	all *sync.WaitGroup
}

func (c counted) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	defer c.all.Done()
	return c.Probe.Run(ctx, env)
}

// last runs its probe when the others have ended.
type last struct {
	probe.Probe
	others *sync.WaitGroup
}

func (l last) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	ended := make(chan struct{})
	go func() {
		l.others.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return l.Probe.Run(ctx, env)
	case <-ctx.Done():
		return probe.Result{Status: report.StatusUnknown, Note: "another measurement did not end in time"}, nil
	}
}
