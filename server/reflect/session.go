package reflect

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// maxSeq bounds the numbers of one session: 5 minutes at 50 packets/s. It lets
// duplicates be found in a fixed piece of memory, whatever a stranger sends.
const maxSeq = 1 << 14

// session is the echo of one stream.
type session struct {
	r         *Reflector
	id, owner string
	track     echoTrack
	stopOnce  sync.Once
	stopped   chan struct{} // closed by stop
	lastNS    atomic.Int64  // stamp of the last up packet; 0 before the first

	mu       sync.Mutex
	pc       *webrtc.PeerConnection
	seen     [maxSeq / 64]uint64
	unique   int
	arrivals []wire.Arrival
	unlisted int
	sent     uint32 // down packets
	failed   int
	allow    allowance
}

func newSession(r *Reflector, owner, id string) *session {
	return &session{
		r: r, owner: owner, id: id, stopped: make(chan struct{}),
		arrivals: make([]wire.Arrival, 0, 320), // 6 s and some
		allow:    newAllowance(r.cfg.Limits.PacketsPerSecond, r.cfg.Limits.PacketBurst),
	}
}

// adopt gives the session its connection, or closes it when the session was
// stopped before there was one.
func (s *session) adopt(pc *webrtc.PeerConnection) bool {
	s.mu.Lock()
	s.pc = pc
	s.mu.Unlock()
	select {
	case <-s.stopped:
		_ = pc.Close()
		return false
	default:
		return true
	}
}

// stop ends the media; watch does the rest.
func (s *session) stop() { s.stopOnce.Do(func() { close(s.stopped) }) }

// watch lives as long as the session: it ends it by the limits, closes the
// connection, and keeps the log for a while.
func (s *session) watch() {
	s.waitForEnd()
	s.stop()
	s.mu.Lock()
	pc := s.pc
	s.mu.Unlock()
	if pc != nil {
		_ = pc.GracefulClose() // returns when the connection's goroutines, serve included, are gone
	}
	s.r.release(s)
	time.AfterFunc(s.r.cfg.Limits.KeepLog, func() { s.r.forget(s) })
}

func (s *session) waitForEnd() {
	l := s.r.cfg.Limits
	end := time.NewTimer(l.MaxDuration)
	defer end.Stop()
	tick := time.NewTicker(min(l.ConnectTimeout, l.IdleTimeout) / 4)
	defer tick.Stop()
	start := s.r.sinceNS()
	for {
		select {
		case <-s.stopped:
			return
		case <-end.C:
			return
		case <-tick.C:
			silentSince, limit := s.lastNS.Load(), l.IdleTimeout
			if silentSince == 0 {
				silentSince, limit = start, l.ConnectTimeout
			}
			if s.r.sinceNS()-silentSince > int64(limit) {
				return
			}
		}
	}
}

// serve reads packets until the connection ends.
func (s *session) serve(t *webrtc.TrackRemote) {
	// The largest payload, and the RTP header with every extension.
	buf := make([]byte, wire.MaxBytes+512)
	down := make([]byte, 0, wire.MaxBytes)
	var header rtp.Header
	var arrivedNS int64
	for {
		n, _, err := t.Read(buf)
		now := s.r.cfg.Now()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			select {
			case <-s.stopped:
				return
			default: // a packet of a payload type nobody agreed on
				s.r.count.foreign.Add(1)
				continue
			}
		}
		headerBytes, err := header.Unmarshal(buf[:n])
		if err != nil {
			s.r.count.foreign.Add(1)
			continue
		}
		// In the log time never runs back, even if two stamps come of two clocks.
		arrivedNS = max(arrivedNS, int64(s.r.media.stamps.Take(buf[:n], now).Sub(s.r.epoch)))
		s.echo(buf[headerBytes:n], arrivedNS, down)
	}
}

// echo answers one up payload at once and writes it into the log. scratch is
// where the answer is built.
func (s *session) echo(payload []byte, arrivedNS int64, scratch []byte) {
	up, err := wire.ParseUp(payload)
	if err != nil || up.Seq >= maxSeq || len(payload) < wire.DownHeaderBytes || !s.allow.take(arrivedNS) {
		s.r.count.foreign.Add(1)
		return
	}
	s.lastNS.Store(arrivedNS)
	s.mu.Lock()
	defer s.mu.Unlock()
	duplicate := s.record(up.Seq, arrivedNS)
	answer := wire.Down{
		Seq: s.sent, UpSeq: up.Seq, UpSentNS: up.SentNS, UpArrivedNS: arrivedNS,
		UpUnique: uint32(s.unique), Duplicate: duplicate,
		SentNS: s.r.sinceNS(),
	}
	// An echo is as long as what it answers, so that both directions carry the
	// same load and nobody can use the reflector to amplify.
	down, err := wire.AppendDown(scratch, answer, len(payload))
	if err == nil {
		err = s.track.write(answer.Seq, down)
	}
	if err != nil {
		s.failed++
		s.r.count.failed.Add(1)
		return
	}
	s.sent++
	s.r.count.echoed.Add(1)
}

// record notes an arrival and says whether its number came before.
func (s *session) record(seq uint32, arrivedNS int64) (duplicate bool) {
	word, bit := &s.seen[seq/64], uint64(1)<<(seq%64)
	duplicate = *word&bit != 0
	if !duplicate {
		*word |= bit
		s.unique++
	}
	if len(s.arrivals) == wire.MaxArrivals {
		s.unlisted++
		return duplicate
	}
	s.arrivals = append(s.arrivals, wire.Arrival{Seq: seq, ArrivedNS: arrivedNS, Duplicate: duplicate})
	return duplicate
}

func (s *session) log() wire.EchoLog {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := wire.NewEchoLog(s.arrivals, int(s.sent), s.failed)
	log.UpUnique, log.Unlisted = s.unique, s.unlisted
	return *log
}

// allowance is a token bucket on the stamps of the stream.
type allowance struct {
	perSecond, burst, tokens float64
	lastNS                   int64
}

func newAllowance(perSecond, burst int) allowance {
	return allowance{perSecond: float64(perSecond), burst: float64(burst), tokens: float64(burst)}
}

func (a *allowance) take(nowNS int64) bool {
	a.tokens = min(a.burst, a.tokens+float64(nowNS-a.lastNS)/1e9*a.perSecond)
	a.lastNS = nowNS
	if a.tokens < 1 {
		return false
	}
	a.tokens--
	return true
}
