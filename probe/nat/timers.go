package nat

import "time"

// Timers are those of RFC 8489 §6.2.1.
type Timers struct {
	// RTO is the wait before the first retransmission; it doubles each time.
	RTO time.Duration
	// Rc is how many copies of a request are sent at most.
	Rc int
	// Rm times RTO is the wait after the last copy.
	Rm int
}

// StandardTimers are the values RFC 8489 §6.2.1 proposes. They take 39.5 s to
// call a server silent.
var StandardTimers = Timers{RTO: 500 * time.Millisecond, Rc: 7, Rm: 16}

// DefaultTimers call a server silent after 2.85 s, because a person waits.
// Five copies still get through a line that loses half of its round trips in 31
// of 32 cases. An RTO below 500 ms is what RFC 8445 §14.3 lets ICE use as well.
var DefaultTimers = Timers{RTO: 150 * time.Millisecond, Rc: 5, Rm: 4}

// waits returns how long to wait after each copy.
func (t Timers) waits() []time.Duration {
	waits := make([]time.Duration, t.Rc)
	for i := range waits {
		waits[i] = t.RTO << i
	}
	if t.Rc > 0 {
		waits[t.Rc-1] = time.Duration(t.Rm) * t.RTO
	}
	return waits
}

// Total is the time after which a silent server is called silent.
func (t Timers) Total() (d time.Duration) {
	for _, w := range t.waits() {
		d += w
	}
	return d
}
