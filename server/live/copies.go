package live

import (
	"slices"
	"time"
)

// copiedFor is how long a copied identity is shown after it was last detected. While both machines
// run, each of them is in contact every minute, or every four minutes if it polls.
const copiedFor = 15 * time.Minute

// maxInstances limits the remembered instances of one agent.
const maxInstances = 8

// minReturns is the number of returns that prove a copy. The last message of an instance that ends
// may be processed after the first one of the next, which looks like a return of both.
const minReturns = 3

// copies detects that two machines use the same identity, because a data folder or a whole disk was
// copied. Each start on a data folder generates a new instance, so an instance never returns after
// another one has replaced it. If one does, both machines are running.
type copies struct {
	current  string
	replaced []string  // the oldest first
	returned int       // without a pause of copiedFor
	at       time.Time // of the last return
}

// contact records that an instance responds. It reports whether this is due to a copy.
// Returns that are far apart prove nothing, because an agent restarts many times.
func (c *copies) contact(instance string, now time.Time) bool {
	if instance == "" || instance == c.current {
		return false
	}
	if now.Sub(c.at).Abs() > copiedFor {
		c.returned = 0
	}
	if slices.Contains(c.replaced, instance) {
		c.returned++
		c.at = now
	}
	if c.current != "" && !slices.Contains(c.replaced, c.current) {
		c.replaced = append(c.replaced, c.current)
		c.replaced = c.replaced[max(0, len(c.replaced)-maxInstances):]
	}
	c.current = instance
	return c.returned >= minReturns
}
