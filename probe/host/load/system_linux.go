package load

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/host/procfile"
)

func (system) pressure(resource string) *float64 {
	text, err := procfile.Read("/proc/pressure/"+resource, headBytes)
	if err != nil {
		return nil // a kernel before 4.20, or without PSI
	}
	return parsePressure(text)
}

// throttles counts the events of all processors (x86: intel_thermal).
func (system) throttles(context.Context) (n int64, state, ok bool) {
	files, _ := filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count")
	for _, file := range files {
		if v, err := strconv.ParseInt(line(file), 10, 64); err == nil {
			n, ok = n+v, true
		}
	}
	return n, false, ok
}

func (system) power(context.Context) power {
	dirs, _ := filepath.Glob("/sys/class/power_supply/*")
	var all []supply
	for _, dir := range dirs {
		all = append(all, supply{
			kind: line(dir, "type"), online: line(dir, "online"), scope: line(dir, "scope"),
			status: line(dir, "status"), capacity: line(dir, "capacity"),
		})
	}
	p := poweredBy(all)
	// These are set by the desktop's settings: power-profiles-daemon and tuned
	// write both.
	switch profile, preference := line("/sys/firmware/acpi/platform_profile"), line("/sys/devices/system/cpu/cpu0/cpufreq/energy_performance_preference"); {
	case profile == "low-power", preference == "power":
		p.saving = new(true)
	case profile != "", preference != "":
		p.saving = new(false)
	}
	return p
}

// line returns the content of a one-line file; "" if it cannot be read.
func line(elem ...string) string {
	text, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
