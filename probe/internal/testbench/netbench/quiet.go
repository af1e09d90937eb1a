package netbench

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// The machine counts as idle if less than quietBusyPct of its CPU time was used in
// quietWindow. Waiting for a busy CPU is a delay that no scenario contains.
const (
	quietBusyPct = 40
	quietWindow  = 250 * time.Millisecond
)

// AwaitQuiet decides before a check, independently of its result, whether this
// machine can measure now. It waits until the machine is idle, at most for atMost,
// and returns the load at that time.
func AwaitQuiet(ctx context.Context, atMost time.Duration) (busyPct float64, err error) {
	deadline := time.Now().Add(atMost)
	for {
		before, err := readProcessors()
		if err != nil {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(quietWindow):
		}
		after, err := readProcessors()
		if err != nil {
			return 0, err
		}
		busyPct = after.busySincePct(before)
		if busyPct < quietBusyPct || time.Now().After(deadline) {
			return busyPct, nil
		}
	}
}

// processors contains the first line of /proc/stat (proc_stat(5)), in ticks.
type processors struct{ idle, all uint64 }

func readProcessors() (processors, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return processors{}, fmt.Errorf("query the load of the machine: %w", err)
	}
	return parseProcessors(string(b))
}

func parseProcessors(stat string) (p processors, err error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return p, fmt.Errorf("query the load of the machine: %q", line)
	}
	for i, f := range fields[1:9] { // guest time is part of user time
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return p, fmt.Errorf("query the load of the machine: %w", err)
		}
		p.all += n
		if i == 3 || i == 4 { // idle, iowait
			p.idle += n
		}
	}
	return p, nil
}

func (p processors) busySincePct(before processors) float64 {
	all := p.all - before.all
	if all == 0 {
		return 0
	}
	return 100 * (1 - float64(p.idle-before.idle)/float64(all))
}
