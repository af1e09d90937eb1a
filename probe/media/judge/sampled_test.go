package judge

import (
	"errors"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// TestUpstreamFromFewEchoes: on a line that is too slow downstream, and without the
// reflector's log, two of three arrived packets are unknown. The intervals between
// the known ones are those of the downstream.
func TestUpstreamFromFewEchoes(t *testing.T) {
	const ms = 1_000_000
	every := func(k int) Measurement {
		m := Measurement{LogErr: errors.New("none"), Stream: Recording{Payload: wire.DefaultBytes, Complete: true}}
		for i := range 300 {
			sent := int64(i) * 20 * ms
			m.Stream.Sends = append(m.Stream.Sends, stats.Send{PlannedNS: sent, SentNS: sent})
			if i%k == 0 {
				m.Stream.Echoes = append(m.Stream.Echoes, Receipt{ArrivedNS: sent + 700*ms, Down: wire.Down{
					Seq: uint32(i), UpSeq: uint32(i), UpUnique: uint32(i + 1), UpSentNS: sent,
					UpArrivedNS: sent + 50*ms + int64(i%4)*ms, SentNS: sent + 55*ms,
				}})
			}
		}
		return m
	}
	whole, _ := every(1).directions()
	if s := whole.summary(); s.Jitter == nil {
		t.Error("no jitter although all packets are known")
	}
	few, _ := every(3).directions()
	if s := few.summary(); s.Jitter != nil || s.Slowed != nil || s.Loss == nil || s.Loss.Lost != 0 {
		t.Errorf("got jitter %v, slowed %v, loss %+v; want nil, nil, non-nil, Lost 0", s.Jitter, probetest.Value(s.Slowed), s.Loss)
	}
}

// TestRunsOfLostPackets: runs of lost packets are counted only if it is known which
// ones were lost.
func TestRunsOfLostPackets(t *testing.T) {
	of := func(lost ...int) direction {
		d := direction{sent: 20}
		gone := map[int]bool{}
		for _, i := range lost {
			gone[i] = true
		}
		for i := range 20 {
			if !gone[i] {
				d.packets = append(d.packets, stats.Packet{Seq: uint32(i)})
			}
		}
		return d
	}
	sampled := of(3, 4)
	sampled.sampled = true
	for name, c := range map[string]struct {
		d    direction
		want float64 // 0 if unknown
	}{
		"nothing lost":          {of(), 0},
		"one":                   {of(7), 1},
		"three and one":         {of(3, 4, 5, 19), 2},
		"known from few echoes": {sampled, 0},
	} {
		got := c.d.lossRunPackets()
		if (got == nil) != (c.want == 0) || got != nil && *got != c.want {
			t.Errorf("%s: got %v, want %v", name, probetest.Value(got), c.want)
		}
	}
}
