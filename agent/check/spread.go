package check

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// begins is how long after the start of a check some of its probes begin, so
// that no second puts more than 150 kbit/s on the line: the voice's own way, with
// the relays it may need, has the first second for itself. What is left to wait
// for takes less time than the voice stream in any case.
var begins = map[string]time.Duration{
	report.ProbeNetworkPath: 500 * time.Millisecond,
	report.ProbeNATBehavior: 900 * time.Millisecond,
	report.ProbeNetworkWeb:  1100 * time.Millisecond,
	report.ProbeNATTURN:     2300 * time.Millisecond,
}

const (
	// streamAfter is when the voice stream begins at the earliest.
	streamAfter = time.Second
	// webSocketAfter is how long after its first answer network.web opens its
	// second connection, which is as large as the first.
	webSocketAfter = 4200 * time.Millisecond
)

// spread lets the probes of a plan begin one after the other. One alone need not
// make room for anybody.
func spread(plan probe.Plan) probe.Plan {
	if len(plan) < 2 {
		return plan
	}
	out := make(probe.Plan, len(plan))
	for i, s := range plan {
		if by := begins[s.Probe.Name()]; by > 0 {
			s.Probe = later{s.Probe, by}
		}
		out[i] = s
	}
	return out
}

// later lets its probe begin after a while, within the same budget.
type later struct {
	probe.Probe
	by time.Duration
}

func (l later) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	if env.Clock.Sleep(ctx, l.by) != nil {
		return probe.Result{Status: report.StatusUnknown, Note: "stopped before it began"}, nil
	}
	return l.Probe.Run(ctx, env)
}
