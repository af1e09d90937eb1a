package collector

import "time"

// Retries use full jitter, so that thousands of agents that lost the same collector do
// not return at the same time.
const (
	backoffBase = time.Second
	backoffCap  = 5 * time.Minute
)

// Backoff returns the delay after the n-th consecutive failure, counted from 0. random
// is in [0, 1). The delay is at least what the collector requested.
func Backoff(n int, random float64, retryAfter time.Duration) time.Duration {
	ceiling := backoffCap
	if n < 16 { // avoids an overflow of the shift; the cap applies anyway
		ceiling = min(backoffCap, backoffBase<<n)
	}
	jitter := time.Duration(random * float64(ceiling))
	if retryAfter > 0 {
		// In addition to it; otherwise all agents would return at the end of the same minute.
		return retryAfter + min(jitter, retryAfter/2)
	}
	return jitter
}
