package power

import (
	"math/rand/v2"
	"time"
)

// Loss describes how one direction of one segment loses packets.
type Loss struct {
	// Pct is the mean share of packets lost.
	Pct float64
	// BurstPackets is the mean length of a burst; 0 or 1 is independent loss.
	BurstPackets float64
	// Timed means that a burst lasts for BurstPackets packets of the voice, 20 ms
	// each, whatever else is sent. Otherwise the state changes per packet of any
	// stream, as in the Gilbert channel of probe/internal/testbench/netbench.
	Timed bool
}

// channel simulates a Loss: a Gilbert channel that loses all packets in its bad
// state.
type channel struct {
	Loss
	rand *rand.Rand
	bad  bool
	// until is the end of a timed state.
	until time.Duration
	begun bool
}

// loses reports whether a packet at the given time is lost. Times must not
// decrease.
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
	// Both transition probabilities follow from the mean length of the bad state
	// and its share of the time.
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
