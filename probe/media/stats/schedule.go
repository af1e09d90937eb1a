package stats

// Verdict states whether this computer met its own schedule well enough for the measurements to be
// attributed to the network.
type Verdict string

// The verdicts of the self check.
const (
	VerdictOK       Verdict = "ok"
	VerdictDegraded Verdict = "degraded" // the delay variation is partly our own
	VerdictVoid     Verdict = "void"     // nothing may be attributed to the network
)

// Send is one packet of our schedule.
type Send struct {
	PlannedNS int64
	SentNS    int64 // on the same clock
}

// ScheduleLimits are the limits of the self check.
type ScheduleLimits struct {
	DegradedP95MS, VoidP95MS         float64
	DegradedMaxMS, VoidMaxMS         float64
	DegradedMissedPct, VoidMissedPct float64
}

// DefaultScheduleLimits are our own choice for an interval of 20 ms: lateness of a quarter of the interval
// in 1 of 20 packets begins to affect the jitter. At a whole interval the stream is no longer voice-like. A
// single stall of 100 ms appears at the receiver as delay variation; a stall of a second means that the
// computer was suspended or blocked.
func DefaultScheduleLimits() ScheduleLimits {
	return ScheduleLimits{
		DegradedP95MS: 5, VoidP95MS: 20,
		DegradedMaxMS: 100, VoidMaxMS: 1000,
		DegradedMissedPct: 0.5, VoidMissedPct: 2,
	}
}

// Schedule is the self check of the sender.
type Schedule struct {
	Sent      int
	Missed    int     // sends that did not take place: too late, or refused by our own socket
	P95LateMS float64 // lateness of sends; early counts as 0
	MaxLateMS float64
	Verdict   Verdict
}

// CheckSchedule compares the sends with the plan. It returns nil if nothing was planned.
func CheckSchedule(sends []Send, missed int, limits ScheduleLimits) *Schedule {
	missed = max(missed, 0)
	if len(sends)+missed == 0 {
		return nil
	}
	late := make([]float64, len(sends))
	for i, s := range sends {
		late[i] = max(0, float64(s.SentNS-s.PlannedNS)/nsPerMS)
	}
	check := Schedule{Sent: len(sends), Missed: missed}
	if spread := Spread(late); spread != nil {
		check.P95LateMS, check.MaxLateMS = spread.P95, spread.Max
	}
	check.Verdict = limits.judge(check)
	return &check
}

func (l ScheduleLimits) judge(s Schedule) Verdict {
	missedPct := 100 * share(s.Missed, s.Sent+s.Missed)
	switch {
	case s.P95LateMS > l.VoidP95MS || s.MaxLateMS > l.VoidMaxMS || missedPct > l.VoidMissedPct:
		return VerdictVoid
	case s.P95LateMS > l.DegradedP95MS || s.MaxLateMS > l.DegradedMaxMS || missedPct > l.DegradedMissedPct:
		return VerdictDegraded
	}
	return VerdictOK
}
