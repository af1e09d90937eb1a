package reflector

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// usage is the resource usage of the two processes, from proc(5).
type usage struct {
	ok            bool
	child, self   time.Duration // CPU
	rssMB, peakMB float64       // of the child
}

func usageOf(pid int) usage {
	child, ok1 := cpuOf(strconv.Itoa(pid))
	self, ok2 := cpuOf("self")
	u := usage{ok: ok1 && ok2, child: child, self: self}
	u.rssMB, u.peakMB = statusMB(pid, "VmRSS:"), statusMB(pid, "VmHWM:")
	return u
}

func cpuOf(pid string) (time.Duration, bool) {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, false
	}
	// The name in parentheses may contain blanks; utime and stime are fields 14 and
	// 15, in hundredths of a second on every Linux (USER_HZ).
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 13 {
		return 0, false
	}
	user, err1 := strconv.Atoi(string(fields[11]))
	system, err2 := strconv.Atoi(string(fields[12]))
	return time.Duration(user+system) * 10 * time.Millisecond, err1 == nil && err2 == nil
}

func statusMB(pid int, field string) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, field); ok {
			kB, _ := strconv.ParseFloat(strings.Fields(v)[0], 64)
			return kB / 1024
		}
	}
	return 0
}

// socketDrops sums the last column of /proc/net/udp (packets dropped because of a
// full buffer) for the ports of the reflector and of the load.
func socketDrops(reflector uint16, load map[uint16]bool) (own, others int, ok bool) {
	f, err := os.Open("/proc/net/udp")
	if err != nil {
		return 0, 0, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 13 {
			continue
		}
		_, hexPort, _ := strings.Cut(fields[1], ":")
		port, err1 := strconv.ParseUint(hexPort, 16, 16)
		drops, err2 := strconv.Atoi(fields[len(fields)-1])
		if err1 != nil || err2 != nil {
			continue
		}
		switch {
		case uint16(port) == reflector:
			own, ok = own+drops, true
		case load[uint16(port)]:
			others += drops
		}
	}
	return own, others, ok
}
