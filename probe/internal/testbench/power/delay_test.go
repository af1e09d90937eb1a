package power

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

func is(codes ...string) func(string) bool {
	return func(code string) bool {
		for _, c := range codes {
			if c == code {
				return true
			}
		}
		return false
	}
}

// share returns the percentage of n checks in which a cause of a kind was reported.
func share(n int, p diagnose.Profile, kind func(string) bool, run func() *report.Report) float64 {
	hits := 0
	for range n {
		causes, _ := diagnose.Diagnose(run(), p)
		if _, ok := named(causes, kind); ok {
			hits++
		}
	}
	return 100 * float64(hits) / float64(n)
}

const ms = time.Millisecond

// jitterMS are the true values of the mean |D|.
var jitterMS = []float64{10, 15, 20, 25, 28, 30, 32, 35, 40, 50, 60}

var jitterShapes = []string{"uniform", "spikes"}

func jitterNamed(n int, p diagnose.Profile, shape string, jitter float64) float64 {
	r := rand.New(rand.NewPCG(uint64(jitter), 11))
	return share(n, p, is("net.jitter_high"), func() *report.Report {
		var up Delay
		if shape == "spikes" {
			up = Spikes(r, 15*ms, time.Duration(jitter/0.18*float64(ms)))
		} else {
			up = Uniform(r, 15*ms, time.Duration(3*jitter*float64(ms)))
		}
		return RunDelay(r, up, Steady(15*ms))
	})
}

// rttMS are the true round trips.
var rttMS = []float64{300, 350, 380, 390, 395, 400, 405, 410, 420, 450, 500, 600, 700}

// rttNamed adds a uniform delay of up to 10 ms in each direction, half of which is
// in the median.
func rttNamed(n int, p diagnose.Profile, rtt float64) float64 {
	r := rand.New(rand.NewPCG(uint64(rtt), 12))
	return share(n, p, is("net.latency_high"), func() *report.Report {
		base := time.Duration((rtt - 10) / 2 * float64(ms))
		return RunDelay(r, Uniform(r, base, 10*ms), Uniform(r, base, 10*ms))
	})
}

// bandwidthKbps are the true rates.
var bandwidthKbps = []float64{40, 50, 60, 70, 80, 100, 150, 200, 300}

// narrow selects the causes that name the slow direction, anyCause all causes
// that may be reported for an overflowing queue.
func narrow(up bool) func(string) bool {
	if up {
		return is("net.bandwidth_low_up")
	}
	return is("net.bandwidth_low_down")
}

func anyCause(code string) bool { return true }

// bandwidthNamed returns the share of checks that report a cause of a kind, with
// the voice alone or with the value that media.load would measure (95 to 100 % of
// the rate).
func bandwidthNamed(n int, p diagnose.Profile, kind func(string) bool, up, load bool, kbps float64) float64 {
	r := rand.New(rand.NewPCG(uint64(kbps), 13))
	return share(n, p, kind, func() *report.Report {
		bottleneck, wide := Bottleneck(15*ms, kbps, 600*ms), Uniform(r, 15*ms, ms)
		there, back := bottleneck, wide
		if !up {
			there, back = wide, bottleneck
		}
		rep := RunDelay(r, there, back)
		if load {
			d := &report.MediaLoad{UpKbps: new(20_000.0), DownKbps: new(20_000.0), IdleRTTMS: new(30.0), LoadedRTTUpMS: new(60.0), LoadedRTTDownMS: new(60.0)}
			measured := kbps * (0.95 + 0.05*r.Float64())
			if up {
				d.UpKbps = &measured
			} else {
				d.DownKbps = &measured
			}
			rep.Probes = append(rep.Probes, result(report.ProbeMediaLoad, d))
		}
		return rep
	})
}

func TestJitterIsNamed(t *testing.T) {
	need.Full(t, "simulates many checks")
	p := profile(t)
	// One packet in ten that is 83 ms late (15 ms of jitter) is too late for a
	// playout buffer of 60 ms, so spikes are reported for that reason.
	bounds := map[string]map[float64][2]float64{
		"uniform": {10: {0, 1}, 15: {0, 1}, 20: {0, 1}, 40: {99, 100}, 60: {100, 100}},
		"spikes":  {10: {0, 1}, 50: {97, 100}, 60: {99, 100}},
	}
	for shape, at := range bounds {
		for jitter, bound := range at {
			if got := jitterNamed(100, p, shape, jitter); got < bound[0] || got > bound[1] {
				t.Errorf("%s, %v ms: reported in %.0f %%, want %v", shape, jitter, got, bound)
			}
		}
	}
}

func TestRoundTripIsNamed(t *testing.T) {
	p := profile(t)
	for rtt, bound := range map[float64][2]float64{300: {0, 0}, 390: {0, 0}, 410: {100, 100}, 700: {100, 100}} {
		if got := rttNamed(60, p, rtt); got < bound[0] || got > bound[1] {
			t.Errorf("%v ms: reported in %.0f %%, want %v", rtt, got, bound)
		}
	}
}

func TestNarrowLineIsNamed(t *testing.T) {
	p := profile(t)
	for _, up := range []bool{true, false} {
		for kbps, bound := range map[float64][2]float64{40: {95, 100}, 100: {0, 0}, 300: {0, 0}} {
			if got := bandwidthNamed(40, p, narrow(up), up, false, kbps); got < bound[0] || got > bound[1] {
				t.Errorf("up %v, %v kbit/s: reported in %.0f %%, want %v", up, kbps, got, bound)
			}
		}
		for _, kbps := range []float64{50, 60, 70, 80} { // the voice barely fits, the check does not
			if got := bandwidthNamed(40, p, anyCause, up, false, kbps); got != 100 {
				t.Errorf("up %v, %v kbit/s: any cause in %.0f %%", up, kbps, got)
			}
		}
		if got := bandwidthNamed(40, p, narrow(up), up, true, 300); got != 100 {
			t.Errorf("up %v, 300 kbit/s under load: reported in %.0f %%", up, got)
		}
	}
}

// row returns a row of a table.
func row(name string, values []float64, of func(float64) float64) string {
	var b strings.Builder
	b.WriteString("| " + name + " |")
	for _, v := range values {
		fmt.Fprintf(&b, " %.0f |", of(v))
	}
	return b.String() + "\n"
}

func heading(what, unit string, values []float64) string {
	var b strings.Builder
	b.WriteString("| " + what + " |")
	for _, v := range values {
		fmt.Fprintf(&b, " %v %s |", v, unit)
	}
	return b.String() + "\n|---|" + strings.Repeat("---|", len(values)) + "\n"
}

// delayTables returns the curves of jitter, round trip and bandwidth.
func delayTables(n int, p diagnose.Profile) string {
	var b strings.Builder
	b.WriteString(heading("jitter (mean of \\|D\\|)", "ms", jitterMS))
	for _, shape := range jitterShapes {
		b.WriteString(row(shape, jitterMS, func(j float64) float64 { return jitterNamed(n, p, shape, j) }))
	}
	b.WriteString("\n" + heading("median round trip", "ms", rttMS))
	b.WriteString(row("net.latency_high", rttMS, func(v float64) float64 { return rttNamed(n, p, v) }))
	b.WriteString("\n" + heading("rate of the line", "kbit/s", bandwidthKbps))
	for _, c := range []struct {
		name     string
		kind     func(string) bool
		up, load bool
	}{
		{"up, the check alone: net.bandwidth_low_up", narrow(true), true, false},
		{"up, the check alone: any cause", anyCause, true, false},
		{"down, the check alone: net.bandwidth_low_down", narrow(false), false, false},
		{"down, the check alone: any cause", anyCause, false, false},
		{"up, with media.load", narrow(true), true, true},
		{"down, with media.load", narrow(false), false, true},
	} {
		b.WriteString(row(c.name, bandwidthKbps, func(v float64) float64 { return bandwidthNamed(n, p, c.kind, c.up, c.load, v) }))
	}
	return b.String()
}
