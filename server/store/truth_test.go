package store

import (
	"math"
	"reflect"
	"testing"
)

func TestTruths(t *testing.T) {
	got := Truths([]CauseCount{
		{"", CauseNone, 2}, {"", "audio.in_use", 1},
		{"audio.os_muted", "audio.os_muted", 7}, {"audio.os_muted", CauseNone, 1}, {"audio.os_muted", "audio.in_use", 2}, {"audio.os_muted", CauseUnknown, 4},
		{"net.wifi_weak", CauseUnknown, 1},
	})
	want := []CauseTruth{
		{Named: "audio.os_muted", Right: 7, Wrong: 3, Unknown: 4, Instead: []CauseCount{{"audio.os_muted", "audio.in_use", 2}, {"audio.os_muted", CauseNone, 1}}},
		{Named: "", Right: 2, Wrong: 1, Instead: []CauseCount{{"", "audio.in_use", 1}}},
		{Named: "net.wifi_weak", Unknown: 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if got := Truths(nil); len(got) != 0 {
		t.Errorf("no cases: got %+v, want none", got)
	}
}

// TestRightPct has the vectors of Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
func TestRightPct(t *testing.T) {
	for _, c := range []struct {
		right, of int
		low, high float64
	}{{81, 263, 25.53, 36.62}, {15, 148, 6.24, 16.05}, {0, 20, 0, 16.11}, {1, 29, 0.61, 17.18}} {
		pct, low, high, ok := CauseTruth{Right: c.right, Wrong: c.of - c.right, Unknown: 9}.RightPct()
		if !ok || math.Abs(pct-100*float64(c.right)/float64(c.of)) > 1e-9 || math.Abs(low-c.low) > .01 || math.Abs(high-c.high) > .01 {
			t.Errorf("%d of %d: got %.2f, %.2f to %.2f, ok %v; want %.2f, %.2f to %.2f", c.right, c.of, pct, low, high, ok, 100*float64(c.right)/float64(c.of), c.low, c.high)
		}
	}
	if _, _, _, ok := (CauseTruth{Unknown: 3}).RightPct(); ok {
		t.Error("got a share for unknown causes")
	}
}
