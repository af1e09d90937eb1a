package collector

import (
	"testing"
	"time"
)

func TestBackoffIsBoundedAndGrows(t *testing.T) {
	for n, ceiling := range map[int]time.Duration{0: time.Second, 3: 8 * time.Second, 9: backoffCap, 1 << 30: backoffCap} {
		if got := Backoff(n, 0, 0); got != 0 {
			t.Errorf("got %v, want 0 as the minimum with full jitter", got)
		}
		if got := Backoff(n, 0.999999, 0).Round(time.Millisecond); got != ceiling {
			t.Errorf("failure %d: got at most %v, want %v", n, got, ceiling)
		}
	}
}
