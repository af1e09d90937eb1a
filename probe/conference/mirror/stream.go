// Package mirror sends a voice-like stream to a media server that returns its packets
// unchanged, and measures what returns.
package mirror

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference/peer"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Connection is a connection to the server and the stream over it.
type Connection struct {
	*peer.Connection
	stream *stream
}

// Open prepares a connection to the server at u.
func Open(env probe.Env, u *url.URL) (*Connection, error) {
	s := newStream(env.Clock)
	p, err := peer.Open(env, peer.Config{Server: u, Arrived: s.arrived, Reported: s.reported})
	if err != nil {
		return nil, err
	}
	return &Connection{p, s}, nil
}

// StreamTime is the length of the stream: 120 packets.
const StreamTime = 2400 * time.Millisecond

const streamPackets = int(StreamTime / wire.PacketInterval)

// Shorten sets another length of the stream; see [visit.Visit.StreamTime].
func (c *Connection) Shorten(to time.Duration) { c.stream.planned = int(to / wire.PacketInterval) }

// straggling is the wait for the last packets.
const straggling = 400 * time.Millisecond

// stream is one stream and its echoes. Times are ns since start.
type stream struct {
	clock probe.Clock
	start time.Time
	flows chan struct{} // closed when a packet has come back
	first sync.Once
	// planned is the number of packets.
	planned int

	mu     sync.Mutex
	sentNS []int64 // by number
	echoes []echo
	lead   int // packets before the stream, which the reports include
	last   *receiverReport
}

// receiverReport is the server's last report on the sent stream (RFC 3550 §6.4.1).
type receiverReport struct {
	lost      int
	highest   uint32 // last sequence number that it covers
	arrivedNS int64
}

type echo struct {
	seq       uint32
	arrivedNS int64
}

func newStream(clock probe.Clock) *stream {
	return &stream{clock: clock, start: clock.Now(), planned: streamPackets, flows: make(chan struct{})}
}

func (s *stream) nowNS() int64 { return int64(s.clock.Now().Sub(s.start)) }

// arrived processes a returned packet. Others, such as comfort noise of the server, are
// ignored.
func (s *stream) arrived(p *rtp.Packet, at time.Time) {
	s.first.Do(func() { close(s.flows) })
	up, err := wire.ParseUp(p.Payload)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if int64(up.Seq) < int64(len(s.sentNS)) {
		s.echoes = append(s.echoes, echo{up.Seq, int64(at.Sub(s.start))})
	}
}

func (s *stream) reported(r rtcp.ReceptionReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = &receiverReport{visit.LostOf(r), r.LastSequenceNumber & 0xffff, s.nowNS()}
}

// maxLead is the maximum number of packets that are sent before the stream.
const maxLead = 75

// silence is a packet of Opus without a voice (RFC 6716 §3.1).
func silence() []byte { return []byte{0xf8, 0xff, 0xfe} }

// leadIn sends packets of silence until one of them has returned, and reports whether one has.
// A server may begin to return a stream some time after it has announced the stream or the keys
// were agreed. Packets that it drops or delays until then do not indicate a fault of the line.
func (s *stream) leadIn(ctx context.Context, over *peer.Connection, other <-chan struct{}) bool {
	for i := range maxLead {
		if over.Write(packet(uint32(i), silence())) != nil {
			return false
		}
		s.lead = i + 1
		if s.clock.Sleep(ctx, wire.PacketInterval) != nil {
			return false
		}
		select {
		case <-s.flows:
			return true
		case <-over.Down():
			return false
		case <-other:
			return false
		default:
		}
	}
	return false
}

// Run sends the stream and waits for the last echoes. Packets of silence precede it.
func (c *Connection) Run(ctx context.Context) {
	c.stream.leadIn(ctx, c.Connection, nil)
	c.stream.run(ctx, c.Connection, nil)
}

// run sends the stream over a connection, until it or the other one ends.
func (s *stream) run(ctx context.Context, over *peer.Connection, other <-chan struct{}) {
	began := s.nowNS()
	buf := make([]byte, 0, wire.DefaultBytes)
	for i := range s.planned {
		planned := began + int64(i)*int64(wire.PacketInterval)
		if s.clock.Sleep(ctx, time.Duration(planned-s.nowNS())) != nil {
			return
		}
		select {
		case <-over.Down():
			return
		case <-other:
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
		if over.Write(packet(uint32(s.lead+i), payload)) != nil {
			// The local socket refused the packet. It still counts as sent, because the next
			// ones continue its numbering.
			continue
		}
		left := over.Left(uint16(s.lead+i), s.start.Add(time.Duration(now)))
		s.mu.Lock()
		s.sentNS[i] = int64(left.Sub(s.start))
		s.mu.Unlock()
	}
	for until := s.nowNS() + int64(straggling); s.nowNS() < until && !s.allBack(); {
		if s.clock.Sleep(ctx, 10*time.Millisecond) != nil {
			return
		}
	}
}

func packet(seq uint32, payload []byte) *rtp.Packet {
	return &rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: uint16(seq), Timestamp: seq * uint32(wire.StampStep), Marker: seq == 0},
		Payload: payload,
	}
}

func (s *stream) allBack() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.echoes) >= len(s.sentNS)
}

// Fill writes the figures to d. The upstream loss is what the server reported, without
// what was lost after its last report. The rest is the downstream loss.
func (c *Connection) Fill(d *report.MediaVoice) visit.Sound { return c.stream.fill(d) }

func (s *stream) fill(d *report.MediaVoice) visit.Sound {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent, returned := len(s.sentNS), 0
	back := make([]bool, sent)
	var trips []float64
	var packets []stats.Packet
	for _, e := range s.echoes {
		if back[e.seq] {
			continue
		}
		back[e.seq] = true
		returned++
		sentNS := s.sentNS[e.seq]
		trips = append(trips, float64(e.arrivedNS-sentNS)/1e6)
		packets = append(packets, stats.Packet{Seq: e.seq, SentNS: sentNS, ArrivedNS: e.arrivedNS})
	}
	d.Sent, d.DownReceived = new(sent), new(returned)
	s.fillLoss(d, back)
	sound := visit.Sound{Sent: sent, Whole: sent == s.planned, Returned: returned > 0}
	if len(trips) == 0 {
		return sound
	}
	slices.Sort(trips)
	d.RTTMinMS = new(visit.Round(trips[0]))
	d.RTTP50MS = new(visit.Round(stats.Percentile(trips, 50)))
	d.RTTP95MS = new(visit.Round(stats.Percentile(trips, 95)))
	if j := stats.JitterOf(packets); j != nil {
		// The jitter is that of both directions together: the server's own timestamps are not
		// known.
		d.DownJitterMS = new(visit.Round(j.MeanAbsDMS))
	}
	return sound
}

// fillLoss writes the loss of both directions. Both shares refer to the packets that the
// last report covers; back states which packets have returned. It is unknown which packets
// of the lead were lost; they count as part of the stream.
func (s *stream) fillLoss(d *report.MediaVoice, back []bool) {
	if s.last == nil {
		return
	}
	covered := min(int(s.last.highest)+1-s.lead, len(back))
	if covered <= 1 {
		return
	}
	returned := 0
	for _, came := range back[:covered] {
		if came {
			returned++
		}
	}
	lost := s.lostUp(covered, covered-returned)
	arrived := covered - lost
	d.UpReceived, d.DownSent = new(arrived), new(arrived)
	d.UpLossPct, d.UpLossCI95 = visit.LossOf(lost, covered)
	if arrived > 0 {
		d.DownLossPct, d.DownLossCI95 = visit.LossOf(arrived-returned, arrived)
	}
}

// lostUp returns how many of the packets that the last report covers were lost upstream, if
// missing of them have not returned. The loss in a report is too high by the packets that
// arrive after it, overtaken by later ones (RFC 3550, appendix A.3). If the report counts more
// packets than are missing, the packets that returned after the report are subtracted.
func (s *stream) lostUp(covered, missing int) int {
	if s.last.lost <= missing {
		return s.last.lost
	}
	late := map[uint32]bool{}
	for _, e := range s.echoes {
		if int(e.seq) < covered && e.arrivedNS > s.last.arrivedNS {
			late[e.seq] = true
		}
	}
	return min(missing, max(0, s.last.lost-len(late)))
}
