package load

import "context"

// Reading is the load of the computer at one time. Values that the system does not report
// are nil or "".
type Reading struct {
	// CPUPct is the load of all processors together since the previous reading.
	CPUPct *float64
	// MemoryFreeMB is the memory that programs can still get.
	MemoryFreeMB *float64
	// CPUPressurePct and MemoryPressurePct are the shares of the last ten seconds in which
	// a program waited (Linux, PSI).
	CPUPressurePct, MemoryPressurePct *float64
}

// Supply contains values that change rarely: the power supply and the free space on the
// disk.
type Supply struct {
	Power      string // mains or battery
	BatteryPct *float64
	Saving     *bool
	DiskFreeMB *float64
}

// Observer reads the load repeatedly. It is for one goroutine.
type Observer struct {
	machine machine
	last    times
	seen    bool
}

// NewObserver returns an observer of this computer.
func NewObserver() *Observer { return &Observer{machine: system{}} }

// Read returns the load since the previous call; the first call has no CPUPct.
func (o *Observer) Read(ctx context.Context) Reading {
	var r Reading
	if now, err := o.machine.times(ctx); err == nil {
		if o.seen {
			r.CPUPct = share(o.last, now)
		}
		o.last, o.seen = now, true
	}
	r.MemoryFreeMB = o.machine.memoryFreeMB(ctx)
	r.CPUPressurePct, r.MemoryPressurePct = o.machine.pressure("cpu"), o.machine.pressure("memory")
	return r
}

// Supply reads the power supply and the disk, for which some systems start a program.
func (o *Observer) Supply(ctx context.Context) Supply {
	p := o.machine.power(ctx)
	return Supply{Power: p.source, BatteryPct: p.batteryPct, Saving: p.saving, DiskFreeMB: o.machine.diskFreeMB(ctx)}
}
