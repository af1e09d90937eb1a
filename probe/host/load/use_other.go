//go:build !linux

package load

import (
	"context"
	"fmt"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/mem"
)

func (system) times(ctx context.Context) (times, error) {
	all, err := cpu.TimesWithContext(ctx, false)
	if err != nil || len(all) == 0 {
		return times{}, fmt.Errorf("read the times of the processor: %w", err)
	}
	t := all[0]
	// Guest time is part of user time (proc(5)). Waiting for a disk counts as idle.
	busy := t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal
	return times{busy, busy + t.Idle + t.Iowait}, nil
}

func (system) memoryFreeMB(ctx context.Context) *float64 {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil || m.Total == 0 {
		return nil
	}
	return new(float64(m.Available) / bytesPerMB)
}
