package sound

import (
	"slices"
	"testing"
)

func TestZerosWithinAFrameOfTheStart(t *testing.T) {
	w := &WarmUp{}
	w.Pass(make([]float32, 8), 0, 2)
	got := w.Pass([]float32{0, 0, 0, 0.5, 0, 0}, int64(warmUpSettle), 2)
	if !slices.Equal(got, []float32{0, 0.5, 0, 0}) {
		t.Errorf("got %v, want %v", got, []float32{0, 0.5, 0, 0})
	}
}
