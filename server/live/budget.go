package live

import "time"

// Limits of the messages of one connection: a retest sends up to five levels a second for 15 s, and
// two messages for each of some twenty probes, several of which may start at once.
const (
	messageBurst     = 80
	messagePerSecond = 12
)

// budget is a token bucket. It is smaller than a rate.Limiter, and there is one for each
// connection.
type budget struct {
	spent float64
	at    time.Time
}

// take reports whether one more message is allowed.
func (b *budget) take(now time.Time) bool {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.spent = max(0, b.spent-passed*messagePerSecond)
	}
	b.at = now
	if b.spent+1 > messageBurst {
		return false
	}
	b.spent++
	return true
}
