package evening

import (
	"cmp"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Length is the time within which the checks arrive.
const Length = 2 * time.Minute

// Fault is the fault that a check finds.
type Fault string

// The faults of the evening.
const (
	NoFault       Fault = ""
	Muted         Fault = "muted"    // the system has muted the microphone
	LossyWiFi     Fault = "wifi"     // the Wi-Fi loses packets between the computer and the router
	ProviderFault Fault = "provider" // the provider loses packets
	Crashed       Fault = "crash"    // the conference program crashed a few minutes ago
)

// Afterwards is what remains of a fault once the person has done what support said: only the
// provider's is beyond their power.
func (f Fault) Afterwards() Fault {
	if f == ProviderFault {
		return f
	}
	return NoFault
}

// Check is one check of the evening.
type Check struct {
	// At is when its report arrives, from the beginning of the evening.
	At      time.Duration
	Person  int
	Fault   Fault
	Trigger report.Trigger
	// NetworkOnly leaves the microphone out.
	NetworkOnly bool
}

// NotSetUp is the number of members, the first ones, whose computer is not set up.
const NotSetUp = 2

// notChecked is the member whose computer is set up, but who makes no check.
const notChecked = NotSetUp

// retested is the member whose microphone is muted, and who checks again at the request of support.
const retested = 11

// Script returns the checks of the evening in the order of their arrival.
func Script() []Check {
	faults := map[int]Fault{retested: Muted, 20: Muted, 29: Muted, 37: Muted, 17: LossyWiFi, 42: Crashed}
	for i := Size - 6; i < Size; i++ { // six of the eight in the south
		faults[i] = ProviderFault
	}
	var all []Check
	for i := NotSetUp; i < Size; i++ {
		if i == notChecked {
			continue
		}
		// A step of 37 places visits all 60 in an order that does not follow the list.
		at := time.Duration(i*37%Size) * Length / Size
		switch {
		case i == retested:
			at = Length / 6
		case faults[i] == ProviderFault: // from the middle of the evening on
			at = Length/2 + time.Duration(i-(Size-6))*Length/20
		case i >= firstSouth: // the two others in the south checked before the fault began
			at = Length / 10
		}
		all = append(all, Check{At: at, Person: i, Fault: faults[i], Trigger: report.TriggerCheck})
	}
	all = append(all, Check{At: 2 * Length / 3, Person: retested, Trigger: report.TriggerSupport})
	slices.SortFunc(all, func(a, b Check) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Person, b.Person)) })
	return all
}

// SessionStart returns when the session begins: at 18:00 if that is soon, otherwise in a quarter
// of an hour. A session that would begin on the next day has begun, because only checks of its
// day count.
func SessionStart(now time.Time) time.Time {
	usual := time.Date(now.Year(), now.Month(), now.Day(), 18, 0, 0, 0, now.Location())
	if wait := usual.Sub(now); wait >= 5*time.Minute && wait <= 2*time.Hour {
		return usual
	}
	start := now.Add(15 * time.Minute).Round(5 * time.Minute)
	if start.YearDay() != now.YearDay() {
		return now.Truncate(time.Minute)
	}
	return start
}
