package media

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/judge"
	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// stream sends the packets and receives their echoes. All timestamps are ns on the
// monotonic clock since start.
type stream struct {
	clock     probe.Clock
	wall      func() time.Time // the wall clock, without a monotonic reading
	start     time.Time
	begun     time.Time // when run began
	begunWall time.Time // begun on the wall clock
	payload   int
	packets   int // planned number
	most      int // number if the loss is in doubt

	mu     sync.Mutex
	sends  []stats.Send // by number
	missed int
	broken bool // ended early
	turned bool // the clock ran backwards or stood still, so no timestamp is valid
	echoes []receipt
	back   []bool // by number: the echo has arrived
	nBack  int
	waited int64 // end of the wait for the last echoes
	allIn  bool  // each packet's echo had arrived by then
}

// receipt and recording are the data that package judge evaluates.
type (
	receipt   = judge.Receipt
	recording = judge.Recording
)

// newStream prepares a stream. A nil wall means the wall clock of clock.
func newStream(clock probe.Clock, wall func() time.Time, payload int, usual, longest time.Duration) *stream {
	if wall == nil {
		wall = func() time.Time { return clock.Now().Round(0) }
	}
	n, most := int(usual/wire.PacketInterval), int(longest/wire.PacketInterval)
	now := clock.Now()
	return &stream{
		clock: clock, wall: wall, start: now, begun: now, begunWall: wall(), payload: payload, packets: n, most: most,
		sends: make([]stats.Send, 0, n), echoes: make([]receipt, 0, n+n/4), back: make([]bool, most),
	}
}

func (s *stream) nowNS() int64 { return int64(s.clock.Now().Sub(s.start)) }

// maxLateness is the lateness from which a packet is skipped. After this computer
// has stalled, the backlog would otherwise be sent at once and disturb the line.
const maxLateness = 5 * wire.PacketInterval

// clockTolerance is how far a clock may seem to run backwards: on Windows there is
// a fallback clock with a resolution of 15.6 ms.
const clockTolerance = 20 * time.Millisecond

// suspendedFrom is the difference between the wall clock and the monotonic clock from
// which this computer was suspended or its clock was set. It is longer than a busy
// computer needs between the readings of both.
const suspendedFrom = time.Second

// suspended reports whether this computer slept since the stream began. The monotonic
// clock of Linux and macOS stands still meanwhile and the reflector's does not, so the
// schedule seems to have been kept while the line seems to have changed.
func (s *stream) suspended() bool {
	return (s.wall().Sub(s.begunWall) - s.clock.Now().Sub(s.begun)).Abs() > suspendedFrom
}

// run sends until all packets are sent, ctx is done or the connection is lost.
func (s *stream) run(ctx context.Context, l *link, progress func(probe.Event)) {
	guard.Go(l.log, func() { s.receive(l) })
	ctx, cancel := untilDown(ctx, l)
	defer cancel()
	buf := make([]byte, 0, s.payload)
	s.begun, s.begunWall = s.clock.Now(), s.wall()
	first := int64(s.begun.Sub(s.start))
	latest := first
	for i, n := 0, s.packets; i < n; i++ {
		if i == s.packets-1 && s.inDoubt() {
			n = s.most
		}
		// Deadlines count from the start: a late send does not delay the rest.
		planned := first + int64(i)*int64(wire.PacketInterval)
		// After the clock ran backwards the next packet would wait that long.
		now := s.nowNS()
		turned := now < latest-int64(clockTolerance) || s.suspended()
		latest = now
		if turned || s.clock.Sleep(ctx, time.Duration(planned-now)) != nil {
			s.mu.Lock()
			s.broken, s.turned = true, turned
			s.mu.Unlock()
			return
		}
		if s.nowNS()-planned > int64(maxLateness) {
			s.miss()
			continue
		}
		s.send(l, buf, planned)
		if i%5 == 0 {
			progress(probe.Event{Kind: probe.EventProgress, Fraction: min(1, float64(i)/float64(s.packets))})
		}
	}
}

func (s *stream) inDoubt() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return judge.InDoubt(s.back[:len(s.sends)])
}

// send sends a packet and records its departure. A packet that our own socket
// refuses gets no number, so it is never counted as lost.
func (s *stream) send(l *link, buf []byte, plannedNS int64) {
	s.mu.Lock()
	seq := uint32(len(s.sends))
	s.sends = append(s.sends, stats.Send{PlannedNS: plannedNS})
	s.mu.Unlock()

	sentNS := s.nowNS()
	up, err := wire.AppendUp(buf, wire.Up{Seq: seq, SentNS: sentNS}, s.payload)
	if err == nil {
		sentNS, err = s.write(l, seq, up, sentNS)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.withdraw(seq)
		return
	}
	s.sends[seq].SentNS = sentNS
}

// withdraw removes the last number, whose packet did not leave. An echo of it is forged.
func (s *stream) withdraw(seq uint32) {
	s.sends = s.sends[:seq]
	s.missed++
	s.echoes = slices.DeleteFunc(s.echoes, func(e receipt) bool { return e.UpSeq >= seq })
	if s.back[seq] {
		s.back[seq] = false
		s.nBack--
	}
}

// write returns the departure time from the socket. It is later than the timestamp
// in the packet by the encryption and the system call. A time outside of the call
// is not used.
func (s *stream) write(l *link, seq uint32, up []byte, beforeNS int64) (leftNS int64, err error) {
	ssrc, err := l.track.write(seq, up)
	if err != nil {
		return beforeNS, err
	}
	at, ok := l.left.TakeSent(ssrc, uint16(seq))
	leftNS = int64(at.Sub(s.start))
	if !ok || leftNS < beforeNS || leftNS > s.nowNS() {
		return beforeNS, nil // over TCP or a relay the departure is unknown
	}
	return leftNS, nil
}

func (s *stream) miss() {
	s.mu.Lock()
	s.missed++
	s.mu.Unlock()
}

// receive reads echoes until the connection closes.
func (s *stream) receive(l *link) {
	var t *webrtc.TrackRemote
	select {
	case t = <-l.arriving:
	case <-l.states.Down:
		return
	}
	buf := make([]byte, wire.MaxBytes+512)
	var header rtp.Header
	for {
		n, _, err := t.Read(buf)
		now := s.clock.Now()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			select {
			case <-l.states.Down:
				return
			default: // a packet with an unexpected payload type
				continue
			}
		}
		headerBytes, err := header.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		if d, err := wire.ParseDown(buf[headerBytes:n]); err == nil {
			s.take(d, int64(l.arrivals.Take(buf[:n], now).Sub(s.start)))
		}
	}
}

func (s *stream) take(d wire.Down, arrivedNS int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// The echo of a number that was never sent is forged or from an earlier stream.
	if int64(d.UpSeq) >= int64(len(s.sends)) || len(s.echoes) == wire.MaxArrivals {
		return
	}
	s.echoes = append(s.echoes, receipt{Down: d, ArrivedNS: arrivedNS})
	if !s.back[d.UpSeq] {
		s.back[d.UpSeq] = true
		s.nBack++
	}
}

// awaitStragglers waits for the last echoes, at most judge.LongestWait. An echo that arrives
// later may answer a packet that is missing in the reflector's log.
func (s *stream) awaitStragglers(ctx context.Context, l *link) {
	defer func() {
		s.mu.Lock()
		s.waited, s.allIn = s.nowNS(), s.nBack == len(s.sends)
		s.turned = s.turned || s.suspended() // also if the connection was lost by it
		s.mu.Unlock()
	}()
	ctx, cancel := untilDown(ctx, l)
	defer cancel()
	began := s.nowNS()
	for until := began + int64(s.wait()); s.nowNS() < until; {
		if s.nowNS() < began { // the clock ran backwards
			s.mu.Lock()
			s.turned = true
			s.mu.Unlock()
			return
		}
		if s.allBack() {
			until = min(until, s.nowNS()+int64(10*time.Millisecond)) // time for a duplicate of the last packet
		}
		if s.clock.Sleep(ctx, 5*time.Millisecond) != nil {
			return
		}
	}
}

// untilDown returns a context that is also done when the connection is lost.
func untilDown(ctx context.Context, l *link) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-l.states.Down:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func (s *stream) wait() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return min(max(2*judge.Slowest(s.echoes), judge.ShortestWait), judge.LongestWait)
}

func (s *stream) allBack() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nBack == len(s.sends)
}

func (s *stream) recording() recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	return recording{
		Sends: slices.Clone(s.sends), Missed: s.missed, Echoes: slices.Clone(s.echoes),
		WaitedNS: s.waited, Payload: s.payload, Complete: !s.broken, Turned: s.turned, AllBack: s.allIn,
	}
}
