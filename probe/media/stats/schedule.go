package stats

// Verdict says whether this computer kept its own time well enough for its
// figures to say something about the network.
type Verdict string

// The verdicts of the self check.
const (
	VerdictOK       Verdict = "ok"
	VerdictDegraded Verdict = "degraded" // figures stand, delay variation is partly our own
	VerdictVoid     Verdict = "void"     // figures must blame no network
)

// Send is one packet of our own schedule.
type Send struct {
	PlannedNS int64
	SentNS    int64 // on the same clock
}

// ScheduleLimits are the limits of the self check. A figure above a limit
// brings the verdict.
type ScheduleLimits struct {
	DegradedP95MS, VoidP95MS         float64
	DegradedMaxMS, VoidMaxMS         float64
	DegradedMissedPct, VoidMissedPct float64
}

// DefaultScheduleLimits is our own choice for 20 ms packets: lateness of a
// quarter of the interval in 1 of 20 packets starts to colour the jitter; of a
// whole interval, the stream is no longer the voice-like stream it claims to
// be. A single stall of 100 ms shows on the receiving side as delay variation
// that no network made; one of a second means the computer stood still.
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
	Missed    int     // sends that never happened: too late, or refused by the own socket
	P95LateMS float64 // how late sends were; early counts as 0
	MaxLateMS float64
	Verdict   Verdict
}

// CheckSchedule compares what was sent with what was planned. It is nil when
// nothing was planned at all.
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
