package load

import (
	"context"
	"fmt"
	"os"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/mem"
)

// system is this computer.
type system struct{}

const bytesPerMB = 1e6

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

// diskFreeMB returns the free space of the volume with the programs' data.
func (system) diskFreeMB(ctx context.Context) *float64 {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	u, err := disk.UsageWithContext(ctx, home)
	if err != nil || u.Total == 0 {
		return nil
	}
	return new(float64(u.Free) / bytesPerMB)
}
