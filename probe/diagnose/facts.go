package diagnose

import (
	"math"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// facts is the input of the rules: the data of the probes, nil for a probe without
// data, and the limits.
type facts struct {
	// target is the address of the conference system; empty if network.web was measured
	// against the collector.
	target string
	in     *report.AudioInput
	out    *report.AudioOutput
	nat    *report.NAT
	voice  *report.MediaVoice
	web    *report.NetworkWeb
	// behavior describes the NAT, link and path the route to the server, load the line
	// when it is full.
	behavior *report.NATBehavior
	turn     *report.NATTURN
	link     *report.NetworkLink
	path     *report.NetworkPath
	load     *report.MediaLoad
	// lost caches the result of losses.
	lost *losses
	// conference is the conference system that was checked.
	conference *visited
	// host is how busy the computer was.
	host *report.HostLoad
	// crash is what the system recorded before the check, which began at started.
	crash   *report.HostCrash
	started time.Time
	Profile
}

func factsOf(r *report.Report, p Profile) *facts {
	return &facts{
		target:   r.Target,
		in:       report.Find[report.AudioInput](r),
		out:      report.Find[report.AudioOutput](r),
		nat:      report.Find[report.NAT](r),
		voice:    report.Find[report.MediaVoice](r),
		web:      report.Find[report.NetworkWeb](r),
		behavior: report.Find[report.NATBehavior](r),
		turn:     report.Find[report.NATTURN](r),
		link:     report.Find[report.NetworkLink](r),
		path:     report.Find[report.NetworkPath](r),
		load:     report.Find[report.MediaLoad](r),
		Profile:  p,

		conference: visitedOf(r),
		host:       report.Find[report.HostLoad](r),
		crash:      report.Find[report.HostCrash](r),
		started:    r.StartedAt,
	}
}

// number returns a measured value. Missing, NaN and infinite values are not ok, so that
// no rule compares with them.
func number(p *float64) (v float64, ok bool) {
	if p == nil || math.IsNaN(*p) || math.IsInf(*p, 0) {
		return 0, false
	}
	return *p, true
}

// count is number for whole numbers.
func count(p *int) (v float64, ok bool) {
	if p == nil {
		return 0, false
	}
	return float64(*p), true
}

func isTrue(p *bool) bool  { return p != nil && *p }
func isFalse(p *bool) bool { return p != nil && !*p }

// roundable is the magnitude up to which rounding to thousandths makes sense; far
// beyond it the rounding itself would overflow.
const roundable = 1e9

// observed returns a value without a limit as evidence. Numbers are always float64, as
// decoded from JSON, and rounded to thousandths.
func observed(probe, field string, value any, unit string) report.Evidence {
	if n, ok := value.(float64); ok && math.Abs(n) < roundable {
		value = math.Round(n*1000) / 1000
	}
	return report.Evidence{Probe: probe, Field: field, Value: value, Unit: unit}
}

// over returns a value that exceeds its limit as evidence.
func over(probe, field string, value float64, unit string, bound float64) report.Evidence {
	e := observed(probe, field, value, unit)
	e.Limit = "> " + decimal(bound)
	return e
}

// atLeast returns a value that reaches its limit as evidence.
func atLeast(probe, field string, value float64, unit string, bound float64) report.Evidence {
	e := observed(probe, field, value, unit)
	e.Limit = "≥ " + decimal(bound)
	return e
}

// under returns a value that is below its limit as evidence.
func under(probe, field string, value float64, unit string, bound float64) report.Evidence {
	e := observed(probe, field, value, unit)
	e.Limit = "< " + decimal(bound)
	return e
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
