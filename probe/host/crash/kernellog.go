package crash

import (
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// parseKernelRecord parses one record of /dev/kmsg: "6,339,5140900,-;message", then
// lines of keys. The time is µs since boot without the time in sleep states, so
// events before a sleep seem too late. The journal, if available, is more accurate.
func parseKernelRecord(record string, booted time.Time) (report.HostEvent, bool) {
	head, message, ok := strings.Cut(record, ";")
	fields := strings.Split(head, ",")
	if !ok || len(fields) < 3 {
		return report.HostEvent{}, false
	}
	us, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || us < 0 || us > int64(100*365*24*time.Hour/time.Microsecond) {
		return report.HostEvent{}, false
	}
	message, _, _ = strings.Cut(message, "\n")
	e, ok := kernelEvent(message)
	e.At = booted.Add(time.Duration(us) * time.Microsecond)
	return e, ok
}
