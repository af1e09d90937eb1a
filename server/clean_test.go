package server

import (
	"testing"
	"time"
)

func TestNothingIsDeletedByAClockThatJumped(t *testing.T) {
	start := time.Date(2026, 11, 28, 19, 0, 0, 0, time.UTC)
	for name, jump := range map[string]time.Duration{
		"a year ahead": 365 * 24 * time.Hour,
		"years back":   -20 * 365 * 24 * time.Hour,
		"an hour back": -time.Hour,
		"two minutes":  2 * time.Minute,
	} {
		s := steadiness{wall: start}
		for up := time.Duration(0); up < steadyFor; up += cleanEvery {
			if s.steady(start.Add(up), up) {
				t.Errorf("%s: got steady after only %v", name, up)
			}
		}
		if !s.steady(start.Add(steadyFor+30*time.Second), steadyFor) { // a difference as from slewing by NTP
			t.Errorf("%s: got not steady after %v without a jump", name, steadyFor)
		}
		jumped := steadyFor + cleanEvery
		for up := jumped; up < jumped+steadyFor; up += cleanEvery {
			if s.steady(start.Add(up+jump), up) {
				t.Errorf("%s: got steady %v after the jump", name, up-jumped)
			}
		}
		if !s.steady(start.Add(jumped+steadyFor+jump), jumped+steadyFor) {
			t.Errorf("%s: got not steady long after the jump", name)
		}
	}
}
