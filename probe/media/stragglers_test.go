package media

import (
	"context"
	"testing"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/judge"
	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestEchoAfterTheLogIsNotLoss: a check is cancelled while its last packet is on the
// way. The reflector's log is read before that packet arrives, and its echo arrives
// before the recording is judged.
func TestEchoAfterTheLogIsNotLoss(t *testing.T) {
	s := newStream(probe.SystemClock{}, nil, wire.DefaultBytes, wire.PacketInterval*10, wire.PacketInterval*10)
	var arrivals []wire.Arrival
	for i := range uint32(3) {
		sent := s.nowNS()
		s.sends = append(s.sends, stats.Send{PlannedNS: sent, SentNS: sent})
		if i < 2 {
			arrivals = append(arrivals, wire.Arrival{Seq: i, ArrivedNS: sent})
			s.take(wire.Down{Seq: i, UpSeq: i, UpSentNS: sent, UpArrivedNS: sent, SentNS: sent, UpUnique: i + 1}, s.nowNS())
		}
	}
	s.broken = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.awaitStragglers(ctx, &link{})
	log := wire.NewEchoLog(arrivals, 2, 0)
	last := s.sends[2].SentNS
	s.take(wire.Down{Seq: 2, UpSeq: 2, UpSentNS: last, UpArrivedNS: last, SentNS: last, UpUnique: 3}, s.nowNS())

	d := judge.Voice(judge.Measurement{Stream: s.recording(), Log: *log, Stopped: true}).Data.(*report.MediaVoice)
	for name, lost := range map[string]*float64{"up": d.UpLossPct, "down": d.DownLossPct} {
		if lost != nil && *lost != 0 {
			t.Errorf("%s: %v %% of the packets count as lost, want 0", name, *lost)
		}
	}
}

// TestEchoOfAPacketThatDidNotLeave: a hostile reflector guesses the next number, and our
// socket refuses its packet.
func TestEchoOfAPacketThatDidNotLeave(t *testing.T) {
	s := newStream(probe.SystemClock{}, nil, wire.DefaultBytes, wire.PacketInterval*10, wire.PacketInterval*10)
	s.sends = make([]stats.Send, 2)
	s.take(wire.Down{Seq: 0, UpSeq: 0, UpUnique: 1}, s.nowNS())
	s.take(wire.Down{Seq: 1, UpSeq: 1, UpUnique: 2}, s.nowNS())
	s.withdraw(1)
	r := s.recording()
	if len(r.Sends) != 1 || len(r.Echoes) != 1 || r.Echoes[0].UpSeq != 0 || r.Missed != 1 || s.nBack != 1 || s.back[1] {
		t.Fatalf("got %d sends, echoes %+v, %d missed, %d back, want one of each", len(r.Sends), r.Echoes, r.Missed, s.nBack)
	}
	judge.Voice(judge.Measurement{Stream: r, Stopped: true})
}
