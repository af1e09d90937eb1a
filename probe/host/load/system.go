package load

import (
	"context"
	"os"

	"github.com/shirou/gopsutil/v4/disk"
)

// system is this computer.
type system struct{}

const bytesPerMB = 1e6

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
