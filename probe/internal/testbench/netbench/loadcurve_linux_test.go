package netbench

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// loadLine is a line whose rates media.load has to determine.
type loadLine struct {
	name     string
	up, down Line
	box      bool // the collector is behind the HTTP box
}

func even(kbps, queueMS float64) loadLine {
	l := Line{DelayMS: 8, RateKbps: kbps, QueueMS: queueMS}
	return loadLine{name: fmt.Sprintf("%g kbit/s, queue of %g ms", kbps, queueMS), up: l, down: l}
}

// loadLines returns combinations of rates and queues with equal directions, then
// other lines.
func loadLines() (all []loadLine) {
	for _, kbps := range []float64{300, 500, 1000, 2000, 5000, 10000, 16000, 50000, 100000} {
		for _, queueMS := range []float64{50, 300, 1000, 2000} {
			all = append(all, even(kbps, queueMS))
		}
	}
	box := even(2000, 300)
	box.name, box.box = "2000 kbit/s, queue of 300 ms, an HTTP box before the collector", true
	return append(all,
		loadLine{name: "90 kbit/s up", up: Line{DelayMS: 20, RateKbps: 90, QueueMS: 200}, down: Line{DelayMS: 20, RateKbps: 2000, QueueMS: 100}},
		loadLine{name: "DSL 16/1", up: Line{DelayMS: 10, RateKbps: 1000, QueueMS: 500}, down: Line{DelayMS: 10, RateKbps: 16000, QueueMS: 100}},
		loadLine{name: "cable 100/6", up: Line{DelayMS: 6, RateKbps: 6000, QueueMS: 1000}, down: Line{DelayMS: 6, RateKbps: 100000, QueueMS: 100}},
		loadLine{name: "10 Mbit/s, 150 ms away", up: Line{DelayMS: 70, RateKbps: 10000, QueueMS: 200}, down: Line{DelayMS: 70, RateKbps: 10000, QueueMS: 200}},
		loadLine{name: "5 Mbit/s, 1 % loss", up: Line{DelayMS: 8, RateKbps: 5000, QueueMS: 100, LossPct: 1}, down: Line{DelayMS: 8, RateKbps: 5000, QueueMS: 100, LossPct: 1}},
		box,
	)
}

// TestLoadCurveOnTheWire compares the rates measured by media.load with those of
// the lines: within 10 %.
func TestLoadCurveOnTheWire(t *testing.T) {
	need.Minutes(t)
	possible(t)
	lines := loadLines()
	switch wanted := os.Getenv(envLoadCurve); wanted {
	case "all":
	case "": // a sample
		lines = []loadLine{even(2000, 300)}
	default:
		lines = slices.DeleteFunc(lines, func(l loadLine) bool { return !strings.Contains(l.name, wanted) })
	}
	w := testWorld(t, programs(t))
	var table strings.Builder
	fmt.Fprintln(&table, "| line | up true | up measured (95 %) | error | down true | down measured (95 %) | error | round trip idle / up / down | s |")
	fmt.Fprintln(&table, "|---|---|---|---|---|---|---|---|---|")
	for _, l := range lines {
		began := time.Now()
		d, err := w.measureLoad(t.Context(), l)
		for range 6 { // a collector limits measurements to 8 Mbit/s in the long run
			if err != nil || d.UpKbps != nil && d.DownKbps != nil {
				break
			}
			select {
			case <-time.After(20 * time.Second):
			case <-t.Context().Done():
			}
			began = time.Now()
			d, err = w.measureLoad(t.Context(), l)
		}
		if err != nil {
			t.Errorf("%s: %v", l.name, err)
			continue
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s / %s / %s | %.1f |\n", l.name, loadRow(l.up.RateKbps, d.UpKbps, d.UpCI95), loadRow(l.down.RateKbps, d.DownKbps, d.DownCI95),
			whole(d.IdleRTTMS), whole(d.LoadedRTTUpMS), whole(d.LoadedRTTDownMS), time.Since(began).Seconds())
		for way, v := range map[string]struct {
			got  *float64
			want float64
		}{"up": {d.UpKbps, l.up.RateKbps}, "down": {d.DownKbps, l.down.RateKbps}} {
			if v.got == nil || math.Abs(*v.got-v.want) > 0.1*v.want {
				t.Errorf("%s, %s: got %s kbit/s, want %g", l.name, way, whole(v.got), v.want)
			}
		}
	}
	publish(t, "load-curve", table.String())
}

// envLoadCurve selects lines by a part of their name, or all.
const envLoadCurve = "TONPROBE_BENCH_LOAD_CURVE"

// measureLoad runs media.load alone, with an agent that has not used its quota.
func (w *World) measureLoad(ctx context.Context, l loadLine) (*report.MediaLoad, error) {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	clear := Scenario{Name: "clear", NAT: homeRouter()}
	if err := w.load(ctx, clear, 1); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(w.data(fmt.Sprintf("agent%d", collectorPort))); err != nil {
		return nil, err
	}
	if err := w.enrol(ctx, collectorPort); err != nil {
		return nil, err
	}
	s := Scenario{Name: l.name, NAT: homeRouter(), Server: both(Line{DelayMS: 6})}
	s.Access = Segment{Up: []Phase{{Line: l.up}}, Down: []Phase{{Line: l.down}}}
	if l.box {
		s.Collector.Reflector = "reached"
	}
	if err := w.load(ctx, s, 1); err != nil {
		return nil, err
	}
	cmd := w.agent(ctx, collectorPort, w.ca, "check", "--plain", "--no-audio", "--yes", "--no-upload", "--only", report.ProbeMediaLoad, "--json", "-")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	r, err := decode(stdout.Bytes(), err)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	d := report.Find[report.MediaLoad](r)
	if d == nil {
		return nil, fmt.Errorf("the report has no %s", report.ProbeMediaLoad)
	}
	return d, nil
}

func loadRow(want float64, got *float64, ci *report.Interval) string {
	if got == nil {
		return fmt.Sprintf("%g | not told | ", want)
	}
	interval := ""
	if ci != nil {
		interval = fmt.Sprintf(" (%.0f to %.0f)", ci[0], ci[1])
	}
	return fmt.Sprintf("%g | %.0f%s | %+.1f %%", want, *got, interval, 100*(*got-want)/want)
}

func whole(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f", *v)
}
