package store

import (
	"context"
	"time"
)

// GuessClockSkew is the difference between the clocks of two collectors that is allowed in Guesses.
const GuessClockSkew = time.Minute

// Guess is a failed attempt that is charged to a bucket, one key of one limit.
type Guess struct {
	Bucket string
	// Cost is the time after which the attempt is available again, Full that in which an empty bucket fills.
	Cost, Full time.Duration
}

// Guesses stores how many wrong passwords and codes were tried, for all collectors of a database
// (limit.Shared). The time of a bucket is when all its attempts are available again. Full buckets
// need not be stored.
type Guesses interface {
	// GuessesUntil returns the times of those buckets that are stored.
	GuessesUntil(ctx context.Context, buckets []string) (map[string]time.Time, error)
	// AddGuess adds the cost to the time of each bucket, up to that of an empty bucket. A stored time that
	// is later than that by more than GuessClockSkew was written by a collector whose clock was wrong,
	// and is replaced. AddGuess also removes some full buckets, more than it adds, so that the table
	// cannot grow for longer than the limits last.
	AddGuess(ctx context.Context, guesses []Guess, now time.Time) error
	// ForgetGuesses fills buckets.
	ForgetGuesses(ctx context.Context, buckets []string) error
}
