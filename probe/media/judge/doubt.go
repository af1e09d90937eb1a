package judge

import "time"

// Lengths of the stream of a check.
const (
	// UsualStream is long enough that 300 packets put the Wilson interval of a loss of 1 % between
	// 0.3 and 2.9 %.
	UsualStream = 6 * time.Second
	// LongestStream is its length if the loss is in doubt, see [InDoubt]: with 5 % loss in bursts,
	// one check in six measures less than 3 % in 6 s.
	LongestStream = 9 * time.Second
)

// Limits between which it is in doubt whether the loss is disturbing, because 300
// packets are too few to tell. A longer stream makes the result considerably more
// certain. A lower loss is inaudible, a higher one is certain.
const (
	doubtedFrom   = 3    // lost echoes
	doubtedBelow  = 0.15 // share of lost echoes
	notYetArrived = 25   // the packets of the last 0.5 s, which are not counted
)

// InDoubt reports whether some packets of a stream were lost, but too few to be certain. back
// contains, by number, whether the echo of each packet that was sent has arrived.
func InDoubt(back []bool) bool {
	n := max(0, len(back)-notYetArrived)
	lost := 0
	for _, arrived := range back[:n] {
		if !arrived {
			lost++
		}
	}
	return lost >= doubtedFrom && float64(lost) < doubtedBelow*float64(n)
}
