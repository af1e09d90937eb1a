package load

import (
	"errors"
	"strconv"
	"strings"
)

var errNoTimes = errors.New("no times of the processors")

// parseTimes parses the first line of /proc/stat (proc(5)), whose values are multiples of the same
// unit: "cpu user nice system idle iowait irq softirq steal guest …". Guest time is part of user
// time. Waiting for a disk counts as idle.
func parseTimes(text string) (times, error) {
	line, _, _ := strings.Cut(text, "\n")
	const steal = 8
	fields := strings.Fields(line)
	if len(fields) <= steal || fields[0] != "cpu" {
		return times{}, errNoTimes
	}
	var t times
	for i, field := range fields[1 : steal+1] {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return times{}, errNoTimes
		}
		t.total += v
		if i != 3 && i != 4 { // idle, iowait
			t.busy += v
		}
	}
	return t, nil
}

// parseMemoryFreeMB parses /proc/meminfo: "MemAvailable:  2048 kB". nil if there is no such line.
func parseMemoryFreeMB(text string) *float64 {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "MemAvailable:")
		if !ok {
			continue
		}
		kb, ok := strings.CutSuffix(strings.TrimSpace(rest), " kB")
		if v, err := strconv.ParseFloat(strings.TrimSpace(kb), 64); ok && err == nil && v >= 0 {
			return new(v * 1024 / bytesPerMB)
		}
		return nil
	}
	return nil
}

// parsePressure parses the share of the last ten seconds in which at least one
// program waited, in percent, from a file of /proc/pressure: "some avg10=1.23
// avg60=…".
func parsePressure(text string) *float64 {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "some ")
		if !ok {
			continue
		}
		for field := range strings.FieldsSeq(rest) {
			if value, ok := strings.CutPrefix(field, "avg10="); ok {
				if v, err := strconv.ParseFloat(value, 64); err == nil && v >= 0 && v <= 100 {
					return &v
				}
			}
		}
	}
	return nil
}

// supply is an entry of /sys/class/power_supply.
type supply struct{ kind, online, scope, status, capacity string }

// poweredBy combines the supplies. Batteries of mice and headsets have the scope
// Device.
func poweredBy(supplies []supply) power {
	var p power
	charging := false
	for _, s := range supplies {
		switch {
		case s.scope == "Device":
		case s.kind == "Battery":
			if pct, err := strconv.ParseFloat(s.capacity, 64); err == nil && pct >= 0 && pct <= 100 {
				p.batteryPct = &pct
			}
			charging = charging || s.status == "Charging" || s.status == "Full" || s.status == "Not charging"
			if p.source == "" {
				p.source = "battery"
			}
		case s.online == "1": // Mains, USB
			p.source = "mains"
		}
	}
	if charging {
		p.source = "mains"
	}
	return p
}

// parsePmset parses the output of pmset -g batt and pmset -g on macOS.
func parsePmset(batt, settings string) power {
	var p power
	switch {
	case strings.Contains(batt, "'AC Power'"):
		p.source = "mains"
	case strings.Contains(batt, "'Battery Power'"):
		p.source = "battery"
	}
	if before, _, ok := strings.Cut(batt, "%"); ok {
		if pct, err := strconv.ParseFloat(before[strings.LastIndexAny(before, " \t")+1:], 64); err == nil && pct >= 0 && pct <= 100 {
			p.batteryPct = &pct
		}
	}
	for line := range strings.Lines(settings) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "lowpowermode" {
			p.saving = new(f[1] == "1")
		}
	}
	return p
}

// parseTherm parses whether macOS limits the processor from the output of pmset -g
// therm: "CPU_Speed_Limit = 70".
func parseTherm(text string) (limited, ok bool) {
	for line := range strings.Lines(text) {
		name, value, cut := strings.Cut(line, "=")
		if !cut || strings.TrimSpace(name) != "CPU_Speed_Limit" {
			continue
		}
		pct, err := strconv.Atoi(strings.TrimSpace(value))
		if err == nil {
			return pct < 100, true
		}
	}
	return false, strings.Contains(text, "No thermal warning level")
}
