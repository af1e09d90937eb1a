package netbench

import (
	"fmt"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/docpart"
)

// tally counts the results of a run.
type tally struct {
	scenarios, missing        int
	testable, right           int
	healthy, clean            int
	loss, jitter, rtt, nat    docpart.Ratio
	time, wire, cpu           docpart.Ratio
	most                      Load // maximum of each value over all checks
	maxTook                   time.Duration
	repeats, failed, stillSet int
	busyStarts                int
}

func sum(all []outcome) (t tally) {
	for _, o := range all {
		t.scenarios++
		t.repeats += o.repeats
		switch {
		case o.err != nil:
			t.failed++
		case o.isMet():
			t.stillSet++
		}
		if o.missing() {
			t.missing++
		} else {
			t.testable++
			if o.right() {
				t.right++
			}
		}
		if o.scenario.Expect == Healthy {
			t.healthy++
			if o.clean() {
				t.clean++
			}
		}
		t.addLoad(o)
		for _, c := range o.figures {
			switch {
			case strings.HasSuffix(c.what, "loss"):
				t.loss.Add(c.ok)
			case strings.HasSuffix(c.what, "jitter"):
				t.jitter.Add(c.ok)
			case strings.HasPrefix(c.what, "RTT"):
				t.rtt.Add(c.ok)
			default:
				t.nat.Add(c.ok)
			}
		}
	}
	return t
}

// addLoad adds the load of a check. It ignores checks with probes that run on request only:
// media.load, which fills the line on purpose, and the search for the lifetime of bindings,
// which takes long.
func (t *tally) addLoad(o outcome) {
	if o.busyPct >= quietBusyPct {
		t.busyStarts++
	}
	if o.err != nil || o.scenario.Home.Load || o.scenario.Home.LifetimeS > 0 {
		return
	}
	l := o.check.Load()
	t.time.Add(o.check.Took < maxSeconds*time.Second)
	t.wire.Add(max(l.UpKbps, l.DownKbps) < maxKbps)
	t.cpu.Add(l.CPUPct < maxCPUPct)
	t.maxTook = max(t.maxTook, o.check.Took)
	t.most = Load{
		UpKbps: max(t.most.UpKbps, l.UpKbps), DownKbps: max(t.most.DownKbps, l.DownKbps),
		PeakUpKbps: max(t.most.PeakUpKbps, l.PeakUpKbps), PeakDownKbps: max(t.most.PeakDownKbps, l.PeakDownKbps),
		CPUPct: max(t.most.CPUPct, l.CPUPct),
	}
}

// summary returns the totals of a run as Markdown, with the date.
func summary(t tally) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Run of %s: %d scenarios.\n\n", time.Now().UTC().Format("2 January 2006, 15:04 UTC"), t.scenarios)
	fmt.Fprintf(&b, "| what | result |\n|---|---|\n")
	for _, row := range []struct {
		what   string
		result any
	}{
		{"right primary cause", docpart.Ratio{OK: t.right, Of: t.scenarios}},
		{"of them scenarios that lack a probe or a rule", fmt.Sprintf("%d of %d", t.missing, t.scenarios)},
		{"healthy lines without any warning", docpart.Ratio{OK: t.clean, Of: t.healthy}},
		{"true loss inside the reported interval", t.loss},
		{"jitter within 5 % or 0.3 ms", t.jitter},
		{"RTT p50 within 0.3 ms", t.rtt},
		{"NAT mapping and filtering", t.nat},
		{"checks under 12 s", fmt.Sprintf("%v; the longest %.1f s", t.time, t.maxTook.Seconds())},
		{"checks under 150 kbit/s each way", fmt.Sprintf("%v; the most %.0f up, %.0f down; in the busiest second %.0f up, %.0f down",
			t.wire, t.most.UpKbps, t.most.DownKbps, t.most.PeakUpKbps, t.most.PeakDownKbps)},
		{"checks under 10 % of a core", fmt.Sprintf("%v; the most %.1f %%", t.cpu, t.most.CPUPct)},
		{"checks that began on a machine that never got quiet", fmt.Sprint(t.busyStarts)},
		{"checks repeated, because they were void by their own self check", fmt.Sprint(t.repeats)},
	} {
		fmt.Fprintf(&b, "| %s | %v |\n", row.what, row.result)
	}
	return b.String()
}

// matrix returns a Markdown table with a row per scenario.
func matrix(all []outcome) string {
	var b strings.Builder
	b.WriteString("| scenario | description | expected | found | loss % up/down, truth | jitter ms up/down, truth | RTT ms, truth | s | kbit/s up/down, busiest second | CPU % | remarks |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, o := range all {
		mark := map[bool]string{true: "", false: " ✗"}[o.right() || o.missing()]
		if o.missing() {
			mark = " (lacks)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s%s | %s | %s | %s | %s | %s |\n", o.scenario.Name, o.scenario.Title, o.scenario.Expect, o.found, mark,
			o.pair("up loss", "down loss"), o.pair("up jitter", "down jitter"), o.pair("RTT p50"), o.cost(), strings.ReplaceAll(o.why(), "|", "/"))
	}
	return b.String()
}

// misses returns the deviations of causes and figures as Markdown.
func misses(all []outcome) string {
	var b strings.Builder
	b.WriteString("| scenario | expected | found | remarks |\n|---|---|---|---|\n")
	none := true
	for _, o := range all {
		if o.right() && len(o.offFigures()) == 0 {
			continue
		}
		none = false
		found := o.found
		if len(o.others) > 0 {
			found += ", " + strings.Join(o.others, ", ")
		}
		var off []string
		for _, c := range o.offFigures() {
			off = append(off, c.String())
		}
		if o.err != nil {
			off = append(off, o.err.Error())
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", o.scenario.Name, o.scenario.Expect, found, strings.ReplaceAll(strings.Join(off, "; "), "|", "/"))
	}
	if none {
		return "Nothing.\n"
	}
	return b.String()
}

// cost returns three cells: duration, traffic, CPU.
func (o outcome) cost() string {
	if o.err != nil {
		return "| |"
	}
	l := o.check.Load()
	return fmt.Sprintf("%.1f | %.0f/%.0f, %.0f/%.0f | %.1f",
		o.check.Took.Seconds(), l.UpKbps, l.DownKbps, l.PeakUpKbps, l.PeakDownKbps, l.CPUPct)
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
