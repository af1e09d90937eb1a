package server

import (
	"testing"
	"time"
)

// TestLifetimeOfCodes: the configuration applies to the codes of the dashboard.
func TestLifetimeOfCodes(t *testing.T) {
	for _, c := range []struct{ set, want time.Duration }{{0, 14 * 24 * time.Hour}, {90 * 24 * time.Hour, 90 * 24 * time.Hour}} {
		r := run(t, Config{CodeTTL: c.set})
		before := time.Now()
		_, _, expires, err := r.AddParticipant(t.Context(), "Anna", "")
		if err != nil {
			t.Fatal(err)
		}
		if off := expires.Sub(before) - c.want; off.Abs() > time.Minute {
			t.Errorf("%v: got expiry in %v, want %v", c.set, expires.Sub(before), c.want)
		}
	}
}
