package crash

import (
	"strconv"
	"strings"
	"time"
)

// parseKernelRecord parses one record of /dev/kmsg: "6,339,5140900,-;message", then
// lines of keys. The time is µs since boot without the time in sleep states, so
// events before a sleep seem too late. The journal, if available, is more accurate.
func parseKernelRecord(record string) (up time.Duration, message string, ok bool) {
	head, message, ok := strings.Cut(record, ";")
	fields := strings.Split(head, ",")
	if !ok || len(fields) < 3 {
		return 0, "", false
	}
	us, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || us < 0 || us > int64(100*365*24*time.Hour/time.Microsecond) {
		return 0, "", false
	}
	message, _, _ = strings.Cut(message, "\n")
	return time.Duration(us) * time.Microsecond, message, true
}
