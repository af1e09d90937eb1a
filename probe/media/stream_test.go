package media

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// TestWallClockIsReadAlone: with a monotonic reading, the difference between two times
// ignores the wall clock, and a suspension would not be noticed.
func TestWallClockIsReadAlone(t *testing.T) {
	s := newStream(probe.SystemClock{}, nil, wire.DefaultBytes, wire.PacketInterval, wire.PacketInterval)
	if now := s.wall(); now != now.Round(0) || s.begunWall != s.begunWall.Round(0) {
		t.Errorf("got %v and %v, want no monotonic reading", now, s.begunWall)
	}
	if s.suspended() {
		t.Error("a stream that has just begun was suspended")
	}
}
