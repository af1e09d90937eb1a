package judge

import "testing"

// TestInDoubt: the stream is extended only if it is uncertain whether the loss is
// disturbing.
func TestInDoubt(t *testing.T) {
	for lost, want := range map[int]bool{0: false, 2: false, 3: true, 12: true, 40: true, 45: false, 275: false} {
		back := make([]bool, 300) // the last 25 may still arrive
		for i := lost; i < 275; i++ {
			back[i] = true
		}
		if got := InDoubt(back); got != want {
			t.Errorf("%d of 275 lost: got %v, want %v", lost, got, want)
		}
	}
	if InDoubt(nil) {
		t.Error("a stream without packets is in doubt")
	}
}
