package main

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/tui"
	"github.com/tonprobe/tonprobe/tui/words"
)

// TestOutcomesAreShown checks that each outcome has its own text, and that each
// text of the screen belongs to an outcome, except the one before the delivery.
func TestOutcomesAreShown(t *testing.T) {
	reached := []tui.Delivery{words.DeliverySending}
	for _, d := range shown {
		reached = append(reached, d)
	}
	all := words.Deliveries()
	slices.Sort(reached)
	slices.Sort(all)
	if !slices.Equal(reached, all) {
		t.Errorf("got outcomes %v, want %v", reached, all)
	}
}
