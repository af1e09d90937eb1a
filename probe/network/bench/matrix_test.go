package bench

import (
	"fmt"
	"strings"
)

// tally is the sum over a run, in the terms of issue 4.
type tally struct {
	scenarios, missing        int
	testable, right           int
	healthy, clean            int
	loss, jitter, rtt, nat    ratio
	repeats, failed, stillSet int
}

type ratio struct{ ok, of int }

func (r ratio) pct() float64 {
	if r.of == 0 {
		return 100
	}
	return 100 * float64(r.ok) / float64(r.of)
}

func (r ratio) String() string { return fmt.Sprintf("%d of %d (%.1f %%)", r.ok, r.of, r.pct()) }

func (r *ratio) add(ok bool) {
	r.of++
	if ok {
		r.ok++
	}
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
		for _, c := range o.figures {
			switch {
			case strings.HasSuffix(c.what, "loss"):
				t.loss.add(c.ok)
			case strings.HasSuffix(c.what, "jitter"):
				t.jitter.add(c.ok)
			case strings.HasPrefix(c.what, "RTT"):
				t.rtt.add(c.ok)
			default:
				t.nat.add(c.ok)
			}
		}
	}
	return t
}

// matrix is the run as Markdown.
func matrix(all []outcome) string {
	t := sum(all)
	var b strings.Builder
	fmt.Fprintf(&b, "| what | result |\n|---|---|\n")
	fmt.Fprintf(&b, "| right primary cause, of the scenarios the product can know | %s |\n", ratio{t.right, t.testable})
	fmt.Fprintf(&b, "| scenarios that still lack a probe or a rule | %d of %d |\n", t.missing, t.scenarios)
	fmt.Fprintf(&b, "| healthy lines without any warning | %s |\n", ratio{t.clean, t.healthy})
	fmt.Fprintf(&b, "| true loss inside the reported interval | %s |\n", t.loss)
	fmt.Fprintf(&b, "| jitter within 5 %% or 0.3 ms | %s |\n", t.jitter)
	fmt.Fprintf(&b, "| RTT p50 within 0.3 ms | %s |\n", t.rtt)
	if t.nat.of > 0 {
		fmt.Fprintf(&b, "| NAT mapping and filtering | %s |\n", t.nat)
	}
	fmt.Fprintf(&b, "| checks repeated, because they found this computer too busy | %d |\n\n", t.repeats)
	fmt.Fprintf(&b, "| scenario | stands for | expected | found | loss %% up/down, truth | jitter ms up/down, truth | RTT ms, truth | remarks |\n|---|---|---|---|---|---|---|---|\n")
	for _, o := range all {
		mark := map[bool]string{true: "", false: " ✗"}[o.right() || o.missing()]
		if o.missing() {
			mark = " (lacks)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s%s | %s | %s | %s | %s |\n", o.scenario.Name, o.scenario.Title, o.scenario.Expect, o.found, mark,
			o.pair("up loss", "down loss"), o.pair("up jitter", "down jitter"), o.pair("RTT p50"), strings.ReplaceAll(o.why(), "|", "/"))
	}
	return b.String()
}

// pair is measured and true values of figures; "" when they were not measured.
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
