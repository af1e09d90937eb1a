// Package load measures how busy the computer is while a check runs, and how it is
// powered.
package load

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// interval is the time between two readings of the processor: shorter ones say
	// more of the scheduler's ticks than of programs.
	interval = 500 * time.Millisecond
	// runs is how long the processor is watched: long enough for a mean, and no longer than the quickest check.
	runs = 4 * time.Second
)

// times is what the processors did since the start of the machine, in seconds of all of
// them together.
type times struct{ busy, total float64 }

// machine is what is read of the system. A value that it does not tell is nil or "".
type machine interface {
	times(ctx context.Context) (times, error)
	memoryFreeMB(ctx context.Context) *float64
	diskFreeMB(ctx context.Context) *float64
	// pressure is the share of the last ten seconds in which some program waited for a
	// resource, in percent (PSI).
	pressure(resource string) *float64
	// throttles is how often a processor was slowed down for its heat so far; where the
	// system tells only whether one is, 0 or 1 with state true.
	throttles(ctx context.Context) (n int64, state, ok bool)
	power(ctx context.Context) power
}

// power is how the computer is fed.
type power struct {
	source     string // mains or battery
	batteryPct *float64
	saving     *bool // a mode that slows the computer down to save power
}

// New returns the probe "host.load".
func New() probe.Probe { return load{system{}} }

type load struct{ machine machine }

// Name implements probe.Probe.
func (load) Name() string { return report.ProbeHostLoad }

// Version implements probe.Probe.
func (load) Version() int { return 1 }

// Run implements probe.Probe. It ends after four seconds, or with ctx.
func (l load) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	d := &report.HostLoad{}
	before, _, countsHeat := l.machine.throttles(ctx)
	l.watch(ctx, env, d)
	// What follows is read even where ctx is done: it takes no time.
	ctx = context.WithoutCancel(ctx)
	d.MemoryFreeMB, d.DiskFreeMB = l.machine.memoryFreeMB(ctx), l.machine.diskFreeMB(ctx)
	d.CPUPressurePct, d.MemoryPressurePct = l.machine.pressure("cpu"), l.machine.pressure("memory")
	if after, state, ok := l.machine.throttles(ctx); ok && countsHeat {
		d.Throttled = new(after > before || state && after > 0)
	}
	fed := l.machine.power(ctx)
	d.Power, d.BatteryPct, d.PowerSaving = fed.source, fed.batteryPct, fed.saving
	if d.CPUPct == nil && d.MemoryFreeMB == nil {
		return probe.Result{Status: report.StatusUnknown, Note: "the system does not tell how busy it is", Data: d}, nil
	}
	return probe.Result{Status: report.StatusOK, Data: d}, nil
}

// watch fills in how busy the processors were, on average and in the busiest second.
func (l load) watch(ctx context.Context, env probe.Env, d *report.HostLoad) {
	first, err := l.machine.times(ctx)
	if err != nil {
		env.Log.Debug("no CPU times", "err", err)
		return
	}
	readings := []times{first}
	for range int(runs / interval) {
		stopped := env.Clock.Sleep(ctx, interval) != nil
		now, err := l.machine.times(context.WithoutCancel(ctx))
		if err != nil {
			break
		}
		readings = append(readings, now)
		if stopped {
			break
		}
	}
	d.CPUPct = share(readings[0], readings[len(readings)-1])
	const second = int(time.Second / interval)
	for i := second; i < len(readings); i++ {
		if s := share(readings[i-second], readings[i]); s != nil && (d.CPUMaxPct == nil || *s > *d.CPUMaxPct) {
			d.CPUMaxPct = s
		}
	}
}

// share is how busy the processors were between two readings, in percent; nil where no
// time passed, or a counter ran back, as some do when a processor is taken away.
func share(from, to times) *float64 {
	total, busy := to.total-from.total, to.busy-from.busy
	if total <= 0 || busy < 0 {
		return nil
	}
	return new(min(100, 100*busy/total))
}
