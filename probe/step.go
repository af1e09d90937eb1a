package probe

import "time"

// LineBudgetKbps is what a check may put on the line in any second, in each
// direction, counted with IP headers. A line that carries a conference call has
// that much to spare, so the check neither disturbs others nor measures itself.
const LineBudgetKbps = 150

// Step is one probe of a plan: what runs, for how long, when it begins and what
// it sends. It is data; [Plan.Run] interprets it.
type Step struct {
	Probe Probe
	// Budget is the time after which the probe's context is done. It counts from
	// the start of the plan, so that waiting for a turn never makes a check
	// longer. Only a step that waits without limit (Exclusive, or After without
	// NotLater) has its budget from the end of that wait on.
	Budget time.Duration
	// Turn is when the probe begins, and what it sends outside of its phases.
	Turn
	// Exclusive runs the probe alone, after all others have ended: for what fills
	// the line on purpose and would look like a fault to the rest. It is outside
	// of the line budget.
	Exclusive bool
	// Phases are the parts of the probe that wait for a turn of their own.
	Phases []Phase
}

// Phase is a part of a running probe. The probe begins it with [Env.Enter].
type Phase struct {
	Name string
	Turn
}

// Turn is when a step or a phase may begin and what it sends from then on.
// Whatever it says, a turn begins only when what it sends still fits into the
// line budget beside all that runs. Of several that wait, the one whose step
// stands first in the plan goes first.
type Turn struct {
	// NotBefore is the earliest beginning, from the start of the plan. A plan of
	// one step has nobody to make room for and ignores it.
	NotBefore time.Duration
	// After are the ends to wait for. What the plan does not hold counts as ended.
	After []Mark
	// NotLater is when After is no longer waited for, from the start of the plan;
	// 0 waits without limit.
	NotLater time.Duration
	// Sends is the most the turn puts on the line, one rate after the other. The
	// rates may not rise: what begins to send more later is a phase of its own.
	Sends []Rate
}

// Mark is the end of a step or, with Phase, of the first time it was in a phase.
type Mark struct{ Step, Phase string }

// Rate is the most that is sent and received in any one second.
type Rate struct {
	UpKbps, DownKbps float64
	// For is how long; 0 is until the turn ends. What lasts a second or less is a
	// burst: it may come all at once, and counts for the second after its beginning
	// even if the turn ends earlier.
	For time.Duration
}

// waitsForGood reports whether the step waits without limit, outside of its budget.
func (s Step) waitsForGood() bool {
	return s.Exclusive || len(s.After) > 0 && s.NotLater == 0
}

// turnOf returns the turn of a phase. One that the step does not declare neither
// waits nor sends.
func (s Step) turnOf(phase string) Turn {
	for _, p := range s.Phases {
		if p.Name == phase {
			return p.Turn
		}
	}
	return Turn{}
}

// window is the time over which the line budget holds.
const window = time.Second

// busiest is the most that a turn puts into one window that reaches up to now or
// beyond, bursts apart from the rest. The turn began since ago and lasts for length.
// As its rates only fall, that is the earliest such window; where that one ends
// with a burst, it is what follows.
func (t Turn) busiest(since, length time.Duration) (bursts, steady Rate) {
	var begins time.Duration
	for _, r := range t.Sends {
		if r.isBurst() && begins > since-window && begins < length {
			bursts = bursts.plus(r, 1)
		}
		begins += r.For
	}
	past, coming := t.steadyFrom(max(0, since-window), length), t.steadyFrom(since, length)
	return bursts, past.most(coming)
}

// steadyFrom is what the turn sends from a moment on within one window, without
// bursts.
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

func (r Rate) isBurst() bool { return r.For > 0 && r.For <= window }
