package main

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/tui"
	"github.com/tonprobe/tonprobe/tui/words"
)

// TestOutcomesAreShown: each outcome has its own text, and the screen has no text that no outcome
// leads to but that of the time before.
func TestOutcomesAreShown(t *testing.T) {
	reached := []tui.Delivery{words.DeliverySending}
	for _, d := range shown {
		reached = append(reached, d)
	}
	all := words.Deliveries()
	slices.Sort(reached)
	slices.Sort(all)
	if !slices.Equal(reached, all) {
		t.Errorf("shown are %v, want %v", reached, all)
	}
}
