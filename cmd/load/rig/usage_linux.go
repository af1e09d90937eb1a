package rig

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is the resource usage of a process, from proc(5).
type Usage struct {
	CPU              time.Duration
	MemoryMB, PeakMB float64
}

// UsageOf returns the resource usage of a process; ok is true only if all values are known.
func UsageOf(pid int) (u Usage, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, false
	}
	// The name in parentheses may contain blanks; utime and stime are fields 14 and
	// 15, in hundredths of a second on every Linux (USER_HZ).
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 13 {
		return u, false
	}
	user, err1 := strconv.Atoi(string(fields[11]))
	system, err2 := strconv.Atoi(string(fields[12]))
	u.CPU = time.Duration(user+system) * 10 * time.Millisecond
	status, err3 := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for text := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(text, ":")
		if name != "VmRSS" && name != "VmHWM" {
			continue
		}
		kB, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
		if err != nil {
			return u, false
		}
		if name == "VmRSS" {
			u.MemoryMB = kB / 1024
		} else {
			u.PeakMB = kB / 1024
		}
	}
	return u, err1 == nil && err2 == nil && err3 == nil
}
