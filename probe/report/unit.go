package report

import (
	"slices"
	"strings"
	"time"
)

// unit is the unit of the numbers of a field, given by the suffix of the field's name.
type unit struct {
	suffix string
	sign   string // for display
	limits Range
	// clamped means that a value out of range is still meaningful: a muted device has
	// -Inf dB.
	clamped bool
}

const week = 7 * 24 * time.Hour

// units lists the units of field names. Their limits only exclude what no instrument
// can measure.
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

// unitOf returns the unit of a field by the last part of its name that is a unit, since
// a condition may follow (late_pct_60ms, up_loss_pct_ci95). ok is false for a name
// without a unit.
func unitOf(name string) (u unit, ok bool) {
	for _, part := range slices.Backward(strings.Split(name, "_")) {
		if i := slices.IndexFunc(units[:], func(u unit) bool { return u.suffix == part }); i >= 0 {
			return units[i], true
		}
	}
	return unit{}, false
}

// Milliseconds converts a duration for a field in ms. A negative one, caused by a clock
// that was set meanwhile, becomes 0.
func Milliseconds(d time.Duration) *float64 {
	return new(max(0, float64(d)/float64(time.Millisecond)))
}
