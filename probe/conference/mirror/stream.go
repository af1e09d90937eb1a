package mirror

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtcp"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// straggling is how long the last packets are waited for.
const straggling = 400 * time.Millisecond

// stream is one stream and its echoes. Times are ns since start.
type stream struct {
	clock probe.Clock
	start time.Time

	mu      sync.Mutex
	sentNS  []int64 // by number
	echoes  []echo
	lostUp  *uint32 // by the last receiver report
	highest uint32  // number that this report reaches to
}

type echo struct {
	seq               uint32
	sentNS, arrivedNS int64
}

func newStream(clock probe.Clock) *stream { return &stream{clock: clock, start: clock.Now()} }

func (s *stream) nowNS() int64 { return int64(s.clock.Now().Sub(s.start)) }

// arrived takes a returned packet. Others, such as comfort noise of the server, are
// ignored.
func (s *stream) arrived(payload []byte) {
	now := s.nowNS()
	up, err := wire.ParseUp(payload)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if int64(up.Seq) < int64(len(s.sentNS)) {
		s.echoes = append(s.echoes, echo{up.Seq, s.sentNS[up.Seq], now})
	}
}

func (s *stream) reported(r rtcp.ReceptionReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lostUp, s.highest = new(r.TotalLost), r.LastSequenceNumber&0xffff
}

// Run sends packets for d and waits for the last echoes.
func (c *Connection) Run(ctx context.Context, d time.Duration) {
	s := c.stream
	n := int(d / wire.PacketInterval)
	began := s.nowNS()
	buf := make([]byte, 0, wire.DefaultBytes)
	for i := range n {
		planned := began + int64(i)*int64(wire.PacketInterval)
		if s.clock.Sleep(ctx, time.Duration(planned-s.nowNS())) != nil {
			return
		}
		select {
		case <-c.down:
			return
		default:
		}
		now := s.nowNS()
		payload, err := wire.AppendUp(buf, wire.Up{Seq: uint32(i), SentNS: now}, wire.DefaultBytes)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.sentNS = append(s.sentNS, now)
		s.mu.Unlock()
		if c.write(uint32(i), payload) != nil {
			// The own socket refused it: the number still counts as sent, since the next
			// ones follow its sequence.
			continue
		}
	}
	for until := s.nowNS() + int64(straggling); s.nowNS() < until && !s.allBack(); {
		if s.clock.Sleep(ctx, 10*time.Millisecond) != nil {
			return
		}
	}
}

func (s *stream) allBack() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.echoes) >= len(s.sentNS)
}

// Fill writes the figures to d and reports how many packets were sent and how many came
// back. Loss up is what the server reported; it misses what was lost after its last
// report. Loss down is the rest.
func (c *Connection) Fill(d *report.MediaVoice) (sent, returned int) {
	s := c.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	sent = len(s.sentNS)
	back := make([]bool, sent)
	var trips []float64
	var packets []stats.Packet
	for _, e := range s.echoes {
		if back[e.seq] {
			continue
		}
		back[e.seq] = true
		returned++
		trips = append(trips, float64(e.arrivedNS-e.sentNS)/1e6)
		packets = append(packets, stats.Packet{Seq: e.seq, SentNS: e.sentNS, ArrivedNS: e.arrivedNS})
	}
	d.Sent, d.DownReceived = new(sent), new(returned)
	// Both shares are of the packets that the last report covers.
	if covered := min(int(s.highest)+1, sent); s.lostUp != nil && s.highest > 0 {
		lost := min(int(*s.lostUp), covered)
		arrived := covered - lost
		d.UpReceived, d.DownSent = new(arrived), new(arrived)
		d.UpLossPct, d.UpLossCI95 = lossOf(lost, covered)
		if arrived > 0 {
			missing := arrived
			for _, came := range back[:covered] {
				if came {
					missing--
				}
			}
			d.DownLossPct, d.DownLossCI95 = lossOf(max(0, missing), arrived)
		}
	}
	if len(trips) == 0 {
		return sent, 0
	}
	slices.Sort(trips)
	d.RTTMinMS = new(round(trips[0]))
	d.RTTP50MS = new(round(stats.Percentile(trips, 50)))
	d.RTTP95MS = new(round(stats.Percentile(trips, 95)))
	if j := stats.JitterOf(packets); j != nil {
		// Of both ways together: the server's own time stamps are not known.
		d.DownJitterMS = new(round(j.MeanAbsDMS))
	}
	return sent, returned
}

func lossOf(lost, of int) (*float64, *report.Interval) {
	ci := stats.Wilson95(lost, of)
	return new(round(100 * float64(lost) / float64(of))), &report.Interval{round(ci.LowPct), round(ci.HighPct)}
}

func round(v float64) float64 { return float64(int64(v*100+0.5)) / 100 }
