// Package load measures how busy the computer is during a check, and its power
// supply.
package load

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// interval is the time between two readings of the CPU; shorter ones would
	// depend on the resolution of the scheduler's ticks.
	interval = 500 * time.Millisecond
	// measureFor is the duration of the measurement: sufficient for a mean, and not
	// longer than the fastest check.
	measureFor = 4 * time.Second
)

// times contains the CPU times since boot, in a unit of the system, summed over all processors.
type times struct{ busy, total float64 }

// machine provides the readings of the system. An unknown value is nil or "".
type machine interface {
	times(ctx context.Context) (times, error)
	memoryFreeMB(ctx context.Context) *float64
	diskFreeMB(ctx context.Context) *float64
	// pressure returns the share of the last ten seconds in which at least one
	// program waited for a resource, in percent (PSI).
	pressure(resource string) *float64
	// throttles returns how often a processor was throttled because of its
	// temperature. If the system reports only the present state, n is 0 or 1 and
	// state is true.
	throttles(ctx context.Context) (n int64, state, ok bool)
	power(ctx context.Context) power
}

// power describes the power supply.
type power struct {
	source     string // mains or battery
	batteryPct *float64
	saving     *bool // a power saving mode that slows the computer down
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
	// The following readings take no time, so they are done even if ctx is done.
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

// watch sets the load of the processors, the mean and the maximum of a second.
func (l load) watch(ctx context.Context, env probe.Env, d *report.HostLoad) {
	first, err := l.machine.times(ctx)
	if err != nil {
		env.Log.Debug("no CPU times", "err", err)
		return
	}
	readings := []times{first}
	for range int(measureFor / interval) {
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

// share returns the load of the processors between two readings, in percent; nil if
// no time has passed, or a counter decreased, as happens when a processor is
// removed.
func share(from, to times) *float64 {
	total, busy := to.total-from.total, to.busy-from.busy
	if total <= 0 || busy < 0 {
		return nil
	}
	return new(min(100, 100*busy/total))
}
