package check

import (
	"context"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// begin is when a probe begins, from the start of the check on.
type begin struct {
	// after is the earliest.
	after time.Duration
	// until is how long it goes on waiting for the voice's way to be settled; 0
	// does not wait.
	until time.Duration
}

// begins puts the probes one after the other, so that no second puts more than
// 150 kbit/s on the line: the voice's own way, with the relays it may need, has
// the first second for itself. What is left to wait for takes less time than the
// voice stream in any case.
//
// On a line of 30 kbit/s setting up the voice takes four seconds where it is
// alone, and does not come about beside the others: then nothing tells in which
// direction the line is narrow. What puts more on the line waits for it, where no
// way for the voice comes about so long that there is time to say why.
var begins = map[string]begin{
	report.ProbeNetworkPath: {after: 500 * time.Millisecond},
	report.ProbeNATBehavior: {after: 900 * time.Millisecond, until: 3600 * time.Millisecond},
	report.ProbeNATTURN:     {after: 2300 * time.Millisecond, until: 4600 * time.Millisecond},
}

const (
	// pathStreamsUntil is how long after its beginning network.path waits for the
	// voice with its streams: they take 6.6 s of its budget.
	pathStreamsUntil = 3900 * time.Millisecond
	// webConnectAfter and webConnectUntil are the same for the connection of
	// network.web, whose look-up of the name goes first.
	webConnectAfter = 1100 * time.Millisecond
	webConnectUntil = 3200 * time.Millisecond
	// streamAfter is when the voice stream begins at the earliest.
	streamAfter = time.Second
	// webSocketAfter is how long after its first answer network.web opens its
	// second connection, which is as large as the first.
	webSocketAfter = 4200 * time.Millisecond
)

// voiceWay says when the voice has its way, or will have none.
type voiceWay struct {
	settled chan struct{}
	settle  func() // closes it, once
}

func newWay() voiceWay {
	settled := make(chan struct{})
	return voiceWay{settled, sync.OnceFunc(func() { close(settled) })}
}

// spread lets the probes of a plan begin one after the other; settled is closed
// when the voice has its way, or will have none. One probe alone need not make
// room for anybody.
func spread(plan probe.Plan, settled <-chan struct{}) probe.Plan {
	if len(plan) < 2 {
		return plan
	}
	out := make(probe.Plan, len(plan))
	for i, s := range plan {
		if b := begins[s.Probe.Name()]; b.after > 0 {
			s.Probe = later{s.Probe, b, settled}
		}
		out[i] = s
	}
	return out
}

// later lets its probe begin after a while, within the same budget.
type later struct {
	probe.Probe
	begin   begin
	settled <-chan struct{}
}

func (l later) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	if env.Clock.Sleep(ctx, l.begin.after) == nil {
		probe.AwaitTurn(ctx, env.Clock, l.settled, l.begin.until-l.begin.after)
	}
	if ctx.Err() != nil {
		return probe.Result{Status: report.StatusUnknown, Note: "stopped before it began"}, nil
	}
	return l.Probe.Run(ctx, env)
}
