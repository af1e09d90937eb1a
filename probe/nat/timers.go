package nat

import "time"

// Timers are the parameters of RFC 8489 §6.2.1.
type Timers struct {
	// RTO is the wait before the first retransmission; it doubles each time.
	RTO time.Duration
	// Rc is the maximum number of copies of a request.
	Rc int
	// Rm times RTO is the wait after the last copy.
	Rm int
}

// StandardTimers are the values proposed by RFC 8489 §6.2.1. With them it takes 39.5 s to detect a silent server.
var StandardTimers = Timers{RTO: 500 * time.Millisecond, Rc: 7, Rm: 16}

// DefaultTimers detect a silent server after 2.85 s, because a person waits. On a line that loses half of the round trips,
// five copies are sufficient in 31 of 32 cases. RFC 8445 §14.3 permits ICE an RTO below 500 ms too.
var DefaultTimers = Timers{RTO: 150 * time.Millisecond, Rc: 5, Rm: 4}

// waits returns the waiting time after each copy.
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

// Total returns the time after which a server counts as silent.
func (t Timers) Total() (d time.Duration) {
	for _, w := range t.waits() {
		d += w
	}
	return d
}
