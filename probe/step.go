package probe

import (
	"slices"
	"time"
)

// LineBudgetKbps is the maximum rate of a check in any second and each direction,
// including IP headers. A line that can carry a conference call has that much to spare,
// so that the check neither disturbs others nor measures itself.
const LineBudgetKbps = 150

// Step is one probe of a plan: what runs, for how long, when it begins and what it
// sends. It is data that [Plan.Run] interprets.
type Step struct {
	Probe Probe
	// Budget is the time until the probe's context is done. It counts from the start of
	// the plan, so that waiting for a turn never extends a check. For a step that waits
	// without limit (Exclusive, or After without NotLater) it counts from the end of
	// the wait.
	Budget time.Duration
	// Turn is when the probe begins, and what it sends outside of its phases.
	Turn
	// Exclusive runs the probe alone after all others. It is for probes that fill the
	// line on purpose, which the others would measure as a fault. The line budget does
	// not apply, and Sends may be nil.
	Exclusive bool
	// OnRequest excludes the step from [Plan.Usual]. It is for probes that disturb, such
	// as one that fills the line or makes a sound.
	OnRequest bool
	// Phases are the parts of the probe that have a turn of their own.
	Phases []Phase
}

// Phase is a part of a running probe, which begins it with [Env.Enter].
type Phase struct {
	Name string
	Turn
}

// Turn is when a step or a phase may begin and what it sends from then on. In any case
// a turn begins only when what it sends fits into the line budget beside everything
// that runs. Of several waiting turns, the one whose step comes first in the plan is
// served first.
type Turn struct {
	// NotBefore is the earliest start, counted from the start of the plan. It does not
	// apply to a plan of one step.
	NotBefore time.Duration
	// After lists what must have ended before. Steps that are not part of the plan
	// count as ended.
	After []Mark
	// NotLater is the time from the start of the plan at which waiting for After stops;
	// 0 waits without limit.
	NotLater time.Duration
	// Sends is the maximum that the turn sends, one rate after the other. The rates
	// must not increase: a part that sends more later must be a phase of its own. It is
	// [Nothing] for a turn that sends nothing, never nil: a turn that does not state
	// what it sends would not count.
	Sends []Rate
}

// Nothing is what a turn sends that uses no network.
func Nothing() []Rate { return []Rate{} }

// Mark is the end of a step or, with Phase, the first end of that phase.
type Mark struct{ Step, Phase string }

// Rate is the maximum sent and received in any second.
type Rate struct {
	UpKbps, DownKbps float64
	// For is the duration; 0 lasts until the turn ends. A duration of up to one second
	// is a burst: it may be sent at once, and at any time up to one second after its
	// start, because the packets of a handshake wait for responses. So it counts until
	// one second after the end of the turn, at most for two seconds. If it can only be
	// sent later, see [Pass.Renew].
	For time.Duration
}

// waitsWithoutLimit reports whether the step waits without limit, outside of its
// budget.
func (s Step) waitsWithoutLimit() bool {
	return s.Exclusive || len(s.After) > 0 && s.NotLater == 0
}

// turnOf returns the turn of a phase, and whether the step declares that phase.
func (s Step) turnOf(phase string) (Turn, bool) {
	i := slices.IndexFunc(s.Phases, func(p Phase) bool { return p.Name == phase })
	if i < 0 {
		return Turn{}, false
	}
	return s.Phases[i].Turn, true
}

// window is the interval for which the line budget holds.
const window = time.Second

// busiest returns the maximum that a turn sends in any window that includes now, bursts
// apart from the rest. The turn began since ago and lasts for length. Because its rates
// only decrease, the maximum is in the earliest such window; if a burst, which does not
// count here, ends in that window, it may be in the one that begins now.
func (t Turn) busiest(since, length time.Duration) (bursts, steady Rate) {
	var begins time.Duration
	for _, r := range t.Sends {
		latest := min(begins+window, length) // when its last packet may leave
		if r.isBurst() && latest > since-window && begins < length {
			bursts = bursts.plus(r, 1)
		}
		begins += r.For
	}
	past, coming := t.steadyFrom(max(0, since-window), length), t.steadyFrom(since, length)
	return bursts, past.most(coming)
}

// steadyFrom returns the mean rate of the turn, without its bursts, in the window that
// begins from after its start.
func (t Turn) steadyFrom(from, length time.Duration) (sum Rate) {
	var begins time.Duration
	for _, r := range t.Sends {
		ends := length
		if r.For > 0 {
			ends = min(ends, begins+r.For)
		}
		if !r.isBurst() {
			sum = sum.plus(r, max(0, min(ends, from+window)-max(begins, from)).Seconds()/window.Seconds())
		}
		begins += r.For
	}
	return sum
}

func (r Rate) plus(o Rate, times float64) Rate {
	return Rate{UpKbps: r.UpKbps + times*o.UpKbps, DownKbps: r.DownKbps + times*o.DownKbps}
}

func (r Rate) most(o Rate) Rate {
	return Rate{UpKbps: max(r.UpKbps, o.UpKbps), DownKbps: max(r.DownKbps, o.DownKbps)}
}

// burstsEnd returns the time from the start of the turn until which its bursts may be
// sent; 0 without bursts.
func (t Turn) burstsEnd() (end time.Duration) {
	var begins time.Duration
	for _, r := range t.Sends {
		if r.isBurst() {
			end = begins + window
		}
		begins += r.For
	}
	return end
}

func (r Rate) isBurst() bool { return r.For > 0 && r.For <= window }
