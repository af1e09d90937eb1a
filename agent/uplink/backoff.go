package uplink

import "time"

// Retries spread out fully at random (full jitter), so that thousands of
// agents which lost the same collector do not come back at the same moment.
const (
	backoffBase = time.Second
	backoffCap  = 5 * time.Minute
)

// backoff is how long to wait after the n-th failure in a row, counted from 0.
// random is in [0, 1). What the collector asked for is the least.
func backoff(n int, random float64, retryAfter time.Duration) time.Duration {
	ceiling := backoffCap
	if n < 16 { // beyond that the shift would overflow, and the cap holds anyway
		ceiling = min(backoffCap, backoffBase<<n)
	}
	jitter := time.Duration(random * float64(ceiling))
	if retryAfter > 0 {
		// On top of it, or all would come at the end of the same minute.
		return retryAfter + min(jitter, retryAfter/2)
	}
	return jitter
}
