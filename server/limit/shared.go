package limit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// Shared counts failed attempts over all collectors of a database, so that a client does not get
// more of them by trying at several. An attempt is first charged to a Limiter of the process, which
// bounds what several requests at the same time can try, and what can be tried while the ledger
// fails. Only failed attempts are written. A nil *Shared counts nothing.
type Shared struct {
	ledger store.Guesses
	key    []byte
	now    func() time.Time
}

// NewShared returns a Shared. The ledger contains only fingerprints under the key, because a bucket
// may be an address or a name; all collectors have the same key.
func NewShared(ledger store.Guesses, key []byte, now func() time.Time) *Shared {
	derived := hmac.New(sha256.New, key)
	derived.Write([]byte("tonprobe limits"))
	return &Shared{ledger: ledger, key: derived.Sum(nil), now: now}
}

// failTimeout limits how long an answer waits until the failed attempt is stored.
const failTimeout = 20 * time.Second

// Bucket is one key of a Limiter. Name tells the limiters apart.
type Bucket struct {
	Limiter   *Limiter
	Name, Key string
}

func (s *Shared) fingerprint(b Bucket) string {
	h := hmac.New(sha256.New, s.key)
	fmt.Fprintf(h, "%s\x00%s", b.Name, b.Key)
	return base64.RawStdEncoding.EncodeToString(h.Sum(nil))
}

// Allow takes one attempt from each bucket of this process. retryAfter is positive if one of them is
// empty, or empty because of the failed attempts of all processes. failed reports whether there
// were any of these. After an error the attempt must not be made.
func (s *Shared) Allow(ctx context.Context, buckets ...Bucket) (retryAfter time.Duration, failed bool, err error) {
	for _, b := range buckets {
		if wait, ok := b.Limiter.Allow(b.Key); !ok {
			return wait, false, nil
		}
	}
	if s == nil {
		return 0, false, nil
	}
	fingerprints := make([]string, len(buckets))
	for i, b := range buckets {
		fingerprints[i] = s.fingerprint(b)
	}
	until, err := s.ledger.GuessesUntil(ctx, fingerprints)
	if err != nil {
		return 0, false, err
	}
	now := s.now()
	for i, b := range buckets {
		at, ok := until[fingerprints[i]]
		debt := at.Sub(now)
		if !ok || debt > b.full()+store.GuessClockSkew {
			continue // no failed attempt, or the time of a wrong clock
		}
		// Each failed attempt delays the bucket by every; it is empty if less than every is left.
		retryAfter = max(retryAfter, min(debt, b.full())-b.full()+b.Limiter.every)
	}
	return retryAfter, len(until) > 0, nil
}

// full is the time in which an empty bucket fills.
func (b Bucket) full() time.Duration { return time.Duration(b.Limiter.burst) * b.Limiter.every }

// Fail stores a failed attempt, even if ctx was cancelled: a client must not avoid the charge by
// closing the connection. Unless it returns nil, the client must not receive the result of the attempt.
func (s *Shared) Fail(ctx context.Context, buckets ...Bucket) error {
	if s == nil {
		return nil
	}
	var guesses []store.Guess
	for _, b := range buckets {
		guesses = append(guesses, store.Guess{Bucket: s.fingerprint(b), Cost: b.Limiter.every, Full: b.full()})
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), failTimeout)
	defer cancel()
	return s.ledger.AddGuess(ctx, guesses, s.now())
}

// Forget fills the buckets. failed is what Allow returned: without any failed attempt, nothing has to
// be written.
func (s *Shared) Forget(ctx context.Context, failed bool, buckets ...Bucket) error {
	for _, b := range buckets {
		b.Limiter.Forget(b.Key)
	}
	if s == nil || !failed {
		return nil
	}
	var fingerprints []string
	for _, b := range buckets {
		fingerprints = append(fingerprints, s.fingerprint(b))
	}
	return s.ledger.ForgetGuesses(ctx, fingerprints)
}
