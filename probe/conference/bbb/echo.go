package bbb

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference/peer"
	"github.com/tonprobe/tonprobe/probe/conference/testsignal"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// straggling is the wait for the last packets: a round trip and the buffers of the
	// server.
	straggling = 500 * time.Millisecond
	// quietTime is a pause that jitter does not cause within a stream.
	quietTime = 200 * time.Millisecond
	// maxArrivals limits the packets from a server: 20 s.
	maxArrivals = 1000
	// opusHz is the clock of RTP for Opus (RFC 7587 §4.1).
	opusHz = 48000
	// Sound that is not recognised counts as foreign only below muchLostPct of loss and
	// from fewPackets packets on.
	muchLostPct = 20
	fewPackets  = 50
	// enoughSweeps is the number of sweeps that prove that the sound is that of this
	// check: two at the right distance are no coincidence.
	enoughSweeps = 2
)

// echo is a call to the echo: client, mediasoup, FreeSWITCH and back. FreeSWITCH decodes
// and encodes, so only the sound itself identifies the stream of this check.
type echo struct {
	*peer.Connection
	clock probe.Clock
	start time.Time
	// over is closed when the server has ended the call or the meeting, and why returns
	// the code.
	over chan struct{}
	why  func() string

	// planned is the number of packets of the stream.
	planned int

	mu       sync.Mutex
	sentAt   []time.Duration
	ssrc     uint32 // of the returned stream
	packets  []testsignal.Arrival
	reported *rtcp.ReceptionReport // the latest
}

func newEcho(env probe.Env, v *visit.Visit, list serverList) (*echo, error) {
	e := &echo{clock: env.Clock, start: env.Clock.Now(), over: make(chan struct{}), planned: testsignal.Packets}
	c, err := peer.Open(env, peer.Config{Server: v.URL, ICEServers: list.forPeer(), Arrived: e.arrived, Reported: e.report})
	if err != nil {
		return nil, err
	}
	e.Connection = c
	return e, nil
}

func (e *echo) now() time.Duration { return e.clock.Now().Sub(e.start) }

func (e *echo) arrived(p *rtp.Packet, arrival time.Time) {
	at := arrival.Sub(e.start)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case len(e.packets) == 0:
		e.ssrc = p.SSRC
	case p.SSRC != e.ssrc, len(e.packets) >= maxArrivals:
		return
	}
	seq, stamp := int64(p.SequenceNumber), int64(p.Timestamp)
	if n := len(e.packets); n > 0 {
		last := e.packets[n-1]
		seq = last.Seq + int64(int16(p.SequenceNumber-uint16(last.Seq)))
		stamp = last.Stamp + int64(int32(p.Timestamp-uint32(last.Stamp)))
	}
	e.packets = append(e.packets, testsignal.Arrival{Seq: seq, Stamp: stamp, At: at, Payload: slices.Clone(p.Payload)})
}

func (e *echo) report(r rtcp.ReceptionReport) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reported = &r
}

// Run implements visit.Call: it sends the recorded sound once, unless the server ends
// the call before.
func (e *echo) Run(ctx context.Context) {
	began := e.now()
	for i := range e.planned {
		planned := began + time.Duration(i)*testsignal.PacketTime
		if e.clock.Sleep(ctx, planned-e.now()) != nil {
			return
		}
		select {
		case <-e.Down():
			return
		case <-e.over:
			return
		default:
		}
		e.mu.Lock()
		e.sentAt = append(e.sentAt, e.now())
		e.mu.Unlock()
		// A packet that the local socket refuses still counts as sent, because the next
		// ones continue its numbering.
		_ = e.Write(&rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: uint16(i), Timestamp: uint32(i) * testsignal.StampStep, Marker: i == 0},
			Payload: testsignal.Packet(i),
		})
	}
	for until := e.now() + straggling; e.now() < until && !e.quiet(); {
		if e.clock.Sleep(ctx, 10*time.Millisecond) != nil {
			return
		}
	}
}

// quiet reports whether the whole stream has returned, or most of it and nothing has followed
// for a while.
func (e *echo) quiet() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := len(e.packets)
	return n >= e.planned || n >= e.planned/2 && e.now()-e.packets[n-1].At > quietTime
}

// Fill implements visit.Call. The upstream loss is what the server reported, without
// what was lost after its last report; the downstream loss is derived from the numbers
// of the received packets.
func (e *echo) Fill(d *report.MediaVoice) visit.Sound {
	e.mu.Lock()
	sentAt, packets, reported := slices.Clone(e.sentAt), slices.Clone(e.packets), e.reported
	e.mu.Unlock()
	sound := visit.Sound{Sent: len(sentAt), Whole: len(sentAt) == e.planned, Foreign: len(packets) > 0}
	// A lost signalling connection alone does not end the sound.
	if why := e.why(); why != "" && why != "cut_off" {
		sound.Fault = why
		return sound
	}
	d.Sent = new(len(sentAt))
	if reported != nil {
		visit.FillUp(d, *reported, len(sentAt))
	}
	fillDown(d, packets)
	slices.SortStableFunc(packets, func(a, b testsignal.Arrival) int { return int(a.Stamp - b.Stamp) })
	sweeps := testsignal.Find(packets, sentAt)
	switch {
	case len(sweeps) >= enoughSweeps:
		sound.Returned = true
	case lost(d.UpLossPct) || lost(d.DownLossPct) || len(packets) < fewPackets:
		sound.Unclear, sound.Foreign = len(packets) > 0, false
	}
	var trips []float64
	for _, s := range sweeps {
		if ms := milliseconds(s.Arrived - s.Sent); ms >= 0 {
			trips = append(trips, ms)
		}
	}
	if sound.Returned && len(trips) > 0 {
		slices.Sort(trips)
		d.RTTMinMS = new(visit.Round(trips[0]))
		d.RTTP50MS = new(visit.Round(stats.Percentile(trips, 50)))
		d.RTTP95MS = new(visit.Round(stats.Percentile(trips, 95)))
	}
	return sound
}

// fillDown sets the figures of the received packets, in order of arrival.
func fillDown(d *report.MediaVoice, packets []testsignal.Arrival) {
	d.DownReceived = new(0)
	if len(packets) == 0 {
		return
	}
	seen := map[int64]bool{}
	first, last := packets[0].Seq, packets[0].Seq
	var arrivals []stats.RTPArrival
	for _, p := range packets {
		if seen[p.Seq] {
			continue
		}
		seen[p.Seq] = true
		first, last = min(first, p.Seq), max(last, p.Seq)
		arrivals = append(arrivals, stats.RTPArrival{ArrivedNS: int64(p.At), Stamp: uint32(p.Stamp)})
	}
	// The loss is not derived from sequence numbers that jump.
	if sent := last - first + 1; sent <= 2*maxArrivals {
		d.DownSent = new(int(sent))
		d.DownLossPct, d.DownLossCI95 = visit.LossOf(int(sent)-len(seen), int(sent))
	}
	d.DownReceived = new(len(seen))
	if j := stats.JitterRTP(arrivals, opusHz); j != nil {
		d.DownJitterMS = new(visit.Round(j.MeanAbsDMS))
	}
}

// lost reports whether so much was lost that the sound of this check may not be
// recognised.
func lost(pct *float64) bool { return pct != nil && *pct >= muchLostPct }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
