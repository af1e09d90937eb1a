package main

import (
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
)

// TestIntervalOfAnInstalledService: 15 minutes that a person has chosen differ from those that an
// earlier version wrote into each unit.
func TestIntervalOfAnInstalledService(t *testing.T) {
	for chosen, want := range map[time.Duration]string{
		15 * time.Minute: "900s", 30 * time.Minute: "30m0s", time.Hour: "1h0m0s", 90 * time.Second: "1m30s",
	} {
		text := intervalArgument(chosen)
		var d config.Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != chosen || text != want || text == formerIntervalArgument {
			t.Errorf("%v: got %q, %v, %v, want %q", chosen, text, time.Duration(d), err, want)
		}
	}
}
