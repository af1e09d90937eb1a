package media

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/stats"
)

// TestStreamInDoubt: the stream is extended only if it is uncertain whether the loss is
// disturbing.
func TestStreamInDoubt(t *testing.T) {
	for lost, want := range map[int]bool{0: false, 2: false, 3: true, 12: true, 40: true, 45: false, 275: false} {
		s := &stream{sends: make([]stats.Send, 300), back: make([]bool, 450)}
		for i := lost; i < 275; i++ {
			s.back[i] = true
		}
		if got := s.inDoubt(); got != want {
			t.Errorf("%d of 275 lost: got %v, want %v", lost, got, want)
		}
	}
}
