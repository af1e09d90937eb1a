package confbench

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/docpart"
)

// tally counts the results of a run.
type tally struct {
	right, healthy, loss, jitter, rtt docpart.Ratio
	longest                           time.Duration
	adds                              map[system][]float64
}

func sum(all []outcome) tally {
	t := tally{adds: map[system][]float64{}}
	for _, o := range all {
		t.right.Add(o.right())
		if o.scenario.isHealthy() {
			t.healthy.Add(o.right())
		}
		t.longest = max(t.longest, o.check.Took)
		if !math.IsNaN(o.addsMS) {
			t.adds[o.scenario.of] = append(t.adds[o.scenario.of], o.addsMS)
		}
		for _, c := range o.figures {
			switch {
			case strings.HasSuffix(c.what, "loss"):
				t.loss.Add(c.ok)
			case strings.HasSuffix(c.what, "jitter"):
				t.jitter.Add(c.ok)
			default:
				t.rtt.Add(c.ok)
			}
		}
	}
	return t
}

func summary(all []outcome, took time.Duration) string {
	t := sum(all)
	var b strings.Builder
	fmt.Fprintf(&b, "Run of %s: %d scenarios in %.0f minutes.\n\n", time.Now().UTC().Format("2 January 2006, 15:04 UTC"), len(all), took.Minutes())
	b.WriteString("| what | result |\n|---|---|\n")
	for _, row := range []struct {
		what   string
		result any
	}{
		{"right primary cause and area", t.right},
		{"healthy scenarios without any cause", t.healthy},
		{"true loss inside the reported interval", t.loss},
		{"jitter within 5 % or 0.3 ms", t.jitter},
		{"RTT p50 within 1 ms of the line and the server's own time", t.rtt},
		{"longest check", fmt.Sprintf("%.1f s", t.longest.Seconds())},
	} {
		fmt.Fprintf(&b, "| %s | %v |\n", row.what, row.result)
	}
	for _, s := range []system{ofJanus, ofLiveKit, ofBBB, ofWHIP} {
		if adds := t.adds[s]; len(adds) > 0 {
			fmt.Fprintf(&b, "| %s adds to the round trip | %.1f ms |\n", s, median(adds))
		}
	}
	return b.String()
}

func table(all []outcome) string {
	var b strings.Builder
	b.WriteString("| scenario | description | expected | found | loss % up/down, truth | jitter ms, truth | RTT ms, truth | s | deviations |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, o := range all {
		mark := map[bool]string{true: "", false: " ✗"}[o.right()]
		found := o.found
		if o.scenario.remark && o.right() {
			found = strings.Join(o.remarks, ", ") + " (info)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s%s | %s | %s | %s | %.1f | %s |\n", o.scenario.name, o.scenario.title, strings.Join(o.scenario.expect, " or "), found, mark,
			o.pair("up loss", "down loss"), o.pair("up jitter", "down jitter", "jitter"), o.pair("RTT"), o.check.Took.Seconds(), o.why())
	}
	return b.String()
}

// pair returns measured and true values of figures; "" if they were not measured.
func (o outcome) pair(names ...string) string {
	var parts []string
	for _, name := range names {
		for _, c := range o.figures {
			if c.what == name {
				parts = append(parts, fmt.Sprintf("%.2f (%.2f)", c.measured, c.true))
			}
		}
	}
	return strings.Join(parts, " / ")
}
