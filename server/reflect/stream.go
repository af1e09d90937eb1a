package reflect

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

const (
	// maxSeq bounds the numbers of one session: 5 minutes at 50 packets/s. It
	// lets duplicates be found in a fixed piece of memory, whatever a stranger
	// sends.
	maxSeq = 1 << 14

	rtpHeaderBytes = 12 // without extensions, as ours go out
	// echoBytes holds an echo with its authentication tag.
	echoBytes = rtpHeaderBytes + wire.MaxBytes + 16

	// maxEarly is how many packets wait for the keys: the client may finish the
	// handshake one flight before us, and what it sends then is not lost.
	maxEarly = 64
)

// echo is an answer on its way out.
type echo struct {
	seq       uint32
	packet    []byte // encrypted
	arrivedNS int64  // of what it answers
}

// early is a packet that came before the keys.
type early struct {
	path *path
	data []byte
	at   time.Time
}

// receive answers one RTP packet through out. scratch has room for the answer.
func (s *session) receive(p *path, b []byte, at time.Time, scratch []byte, out outlet) {
	s.mu.Lock()
	if s.keys == nil || s.catchingUp {
		if len(s.early) < maxEarly && !s.ended {
			s.early = append(s.early, early{p, slices.Clone(b), at})
		} else {
			s.r.count.foreign.Add(1)
		}
		s.mu.Unlock()
		return
	}
	e, ok := s.answer(b, at, scratch)
	s.mu.Unlock()
	if ok {
		out.put(p, e)
	}
}

// useKeys answers what waited for them. A write to TCP may block for a second, so
// none is made with the lock held; what arrives meanwhile waits in its turn, for
// an answer that overtakes another would read as reordering on the way down.
func (s *session) useKeys(k *keys) {
	scratch := make([]byte, 0, echoBytes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.catchingUp = k, true
	for len(s.early) > 0 {
		w := s.early[0]
		s.early = s.early[1:]
		e, ok := s.answer(w.data, w.at, scratch)
		if !ok {
			continue
		}
		s.mu.Unlock()
		leftNS := s.r.sinceNS()
		err := w.path.write(e.packet)
		s.mu.Lock()
		s.settle(e, leftNS, err)
	}
	s.early, s.catchingUp = nil, false
}

// answer reads one packet, writes it into the log and makes its echo. The
// caller holds mu.
func (s *session) answer(b []byte, at time.Time, scratch []byte) (echo, bool) {
	payload, ok := s.decrypt(b)
	if !ok {
		s.r.count.foreign.Add(1)
		return echo{}, false
	}
	// In the log time never runs back, even if two stamps come of two clocks.
	arrivedNS := max(s.lastIn, int64(at.Sub(s.r.epoch)))
	up, err := wire.ParseUp(payload)
	if err != nil || up.Seq >= maxSeq || len(payload) < wire.DownHeaderBytes || !s.allow.take(arrivedNS) {
		s.r.count.foreign.Add(1)
		return echo{}, false
	}
	s.lastIn = arrivedNS
	s.lastNS.Store(arrivedNS)
	duplicate := s.record(up.Seq, arrivedNS)
	down := wire.Down{
		Seq: s.sent, UpSeq: up.Seq, UpSentNS: up.SentNS, UpArrivedNS: arrivedNS,
		UpUnique: uint32(s.unique), Duplicate: duplicate,
		SentNS: max(arrivedNS, s.r.sinceNS()),
	}
	// An echo is as long as what it answers, so that both directions carry the
	// same load and nobody can use the reflector to amplify.
	packet, err := s.encrypt(down, len(payload), scratch)
	if err != nil {
		s.fail()
		return echo{}, false
	}
	s.sent++
	return echo{down.Seq, packet, arrivedNS}, true
}

// decrypt returns the payload of a packet of the stream agreed on, in place.
func (s *session) decrypt(b []byte) ([]byte, bool) {
	h := &s.keys.header
	n, err := h.Unmarshal(b)
	if err != nil || h.PayloadType != s.offer.payloadType || s.upSSRC != 0 && h.SSRC != s.upSSRC {
		return nil, false
	}
	plain, err := s.keys.in.DecryptRTP(b, b, h)
	if err != nil || len(plain) < n {
		return nil, false
	}
	s.upSSRC = h.SSRC
	return plain[n:], true
}

func (s *session) encrypt(d wire.Down, size int, scratch []byte) ([]byte, error) {
	b := append(scratch[:0], 2<<6, s.offer.payloadType)
	b = binary.BigEndian.AppendUint16(b, uint16(d.Seq))
	b = binary.BigEndian.AppendUint32(b, d.Seq*uint32(wire.StampStep))
	b = binary.BigEndian.AppendUint32(b, s.ssrc)
	b, err := wire.AppendDown(b, d, size)
	if err != nil {
		return nil, err
	}
	return s.keys.out.EncryptRTP(b, b, &s.keys.header)
}

// answered says how the sending of e ended, which began at leftNS.
func (s *session) answered(e echo, leftNS int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(e, leftNS, err)
}

func (s *session) settle(e echo, leftNS int64, err error) {
	if err == nil {
		s.r.count.echoed.Add(1)
		s.kept(e, leftNS)
		return
	}
	if s.sent == e.seq+1 {
		s.sent = e.seq // the number was never seen outside, and must not read as lost
	}
	s.fail()
}

// kept notes how long e's question was here. Packets of a batch are told last to
// first, so that the list may have to grow by more than one.
func (s *session) kept(e echo, leftNS int64) {
	if e.seq >= wire.MaxArrivals {
		return
	}
	for uint32(len(s.turnaround)) <= e.seq {
		s.turnaround = append(s.turnaround, 0)
	}
	s.turnaround[e.seq] = max(0, leftNS-e.arrivedNS)
}

func (s *session) fail() {
	s.failed++
	s.r.count.failed.Add(1)
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
	log.TurnaroundNS = slices.Clone(s.turnaround[:min(len(s.turnaround), int(s.sent))])
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
