package channel

import "time"

const (
	// messageBurst is the number of messages that a collector may send at once. After that it may
	// send one each messageEvery. Normally it sends a few in a day.
	messageBurst = 60
	messageEvery = time.Second
)

// budget limits the messages of one connection. Each costs an answer and a line in the log.
type budget struct {
	spent int
	since time.Time // the time up to which messages have been credited
}

// take returns ErrFlood if there are too many messages.
func (b *budget) take(now time.Time) error {
	if b.since.IsZero() || now.Before(b.since) {
		b.since = now
	}
	earned := int(now.Sub(b.since) / messageEvery)
	b.since = b.since.Add(time.Duration(earned) * messageEvery)
	b.spent = max(0, b.spent-earned)
	if b.spent >= messageBurst {
		return ErrFlood
	}
	b.spent++
	return nil
}
