package power

import (
	"math/rand/v2"
	"time"
)

// Loss is how one direction of one segment loses packets.
type Loss struct {
	// Pct is the mean share of packets lost.
	Pct float64
	// BurstPackets is the mean length of a burst; 0 or 1 is independent loss.
	BurstPackets float64
	// Timed bursts last BurstPackets packets of the voice, 20 ms each, whatever is
	// sent meanwhile. Without it the chain moves on by each packet that passes, of
	// whichever stream, as the Gilbert channel of probe/internal/testbench/netbench does.
	Timed bool
}

// channel is a Loss at work: a Gilbert chain that loses all in its bad state.
type channel struct {
	Loss
	rand *rand.Rand
	bad  bool
	// until is when a timed state ends.
	until time.Duration
	begun bool
}

// loses says whether a packet that passes at a time is lost. Times never go back.
func (c *channel) loses(at time.Duration) bool {
	share := c.Pct / 100
	if share <= 0 {
		return false
	}
	if c.BurstPackets <= 1 {
		return c.rand.Float64() < share
	}
	if c.Timed {
		return c.losesAt(at, share)
	}
	// The mean length of the bad state and the share of time in it give both
	// probabilities of a change.
	leave := 1 / c.BurstPackets
	enter := leave * share / (1 - share)
	switch {
	case !c.begun:
		c.begun = true
		c.bad = c.rand.Float64() < share
	case c.bad:
		c.bad = c.rand.Float64() >= leave
	default:
		c.bad = c.rand.Float64() < enter
	}
	return c.bad
}

func (c *channel) losesAt(at time.Duration, share float64) bool {
	meanBad := c.BurstPackets * float64(packetInterval)
	meanGood := meanBad * (1 - share) / share
	if !c.begun {
		c.begun = true
		c.bad = c.rand.Float64() < share
		c.until = c.stay(meanBad, meanGood)
	}
	for at >= c.until {
		c.bad = !c.bad
		c.until += c.stay(meanBad, meanGood)
	}
	return c.bad
}

func (c *channel) stay(meanBad, meanGood float64) time.Duration {
	mean := meanGood
	if c.bad {
		mean = meanBad
	}
	return time.Duration(c.rand.ExpFloat64() * mean)
}
