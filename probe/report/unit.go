package report

import (
	"slices"
	"strings"
	"time"
)

// unit is what the numbers of a field count. The name of the field ends in its
// suffix.
type unit struct {
	suffix string
	sign   string // as people write it
	limits Range
	// clamped is set where a value out of range still says something: a muted
	// device has -Inf dB.
	clamped bool
}

const week = 7 * 24 * time.Hour

// units are those of DESIGN.md. Their limits only keep out what no instrument can
// have measured.
var units = [...]unit{
	{suffix: "ms", sign: "ms", limits: Range{0, float64(week / time.Millisecond)}},
	{suffix: "s", sign: "s", limits: Range{0, float64(week / time.Second)}},
	{suffix: "pct", sign: "%", limits: Range{0, 100}},
	{suffix: "hz", sign: "Hz", limits: Range{0, 1e7}},
	{suffix: "kbps", sign: "kbit/s", limits: Range{0, 1e9}},
	{suffix: "mbps", sign: "Mbit/s", limits: Range{0, 1e6}},
	{suffix: "mb", sign: "MB", limits: Range{0, 1e9}},
	{suffix: "bytes", sign: "Byte", limits: Range{0, 1e9}},
	{suffix: "dbm", sign: "dBm", limits: Range{-200, 100}},
	{suffix: "dbfs", sign: "dBFS", limits: Range{-300, 300}, clamped: true},
	{suffix: "dbtp", sign: "dBTP", limits: Range{-300, 300}, clamped: true},
	{suffix: "lufs", sign: "LUFS", limits: Range{-300, 300}, clamped: true},
	{suffix: "db", sign: "dB", limits: Range{-300, 300}, clamped: true},
}

// unitOf is the unit that a field's name says it is in: the last part of the name
// that is one, as a condition may follow it (late_pct_60ms, up_loss_pct_ci95). ok
// is false for a name without a unit.
func unitOf(name string) (u unit, ok bool) {
	for _, part := range slices.Backward(strings.Split(name, "_")) {
		if i := slices.IndexFunc(units[:], func(u unit) bool { return u.suffix == part }); i >= 0 {
			return units[i], true
		}
	}
	return unit{}, false
}

// Milliseconds returns a time for a field in ms. A negative one, which a clock
// that was set meanwhile leaves, is 0.
func Milliseconds(d time.Duration) *float64 {
	return new(max(0, float64(d)/float64(time.Millisecond)))
}
