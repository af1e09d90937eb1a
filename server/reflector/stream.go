package reflector

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

const (
	// maxSeq limits the packet numbers of one session: 5 minutes at 50 packets/s. Duplicates
	// can then be detected with a fixed amount of memory.
	maxSeq = 1 << 14

	rtpHeaderBytes = 12 // without extensions, as in our packets
	// echoBytes is the maximum length of an echo with its authentication tag.
	echoBytes = rtpHeaderBytes + wire.MaxBytes + 16

	// maxEarly is the number of packets that are kept until the keys exist: the client may
	// complete the handshake one flight earlier, and what it sends then must not be lost.
	maxEarly = 64
)

// echo is a response to be sent.
type echo struct {
	seq       uint32
	packet    []byte // encrypted
	arrivedNS int64  // of the packet that it answers
}

// early is a packet that arrived before the keys.
type early struct {
	path *path
	data []byte
	at   time.Time
}

// receive answers one RTP packet through out. scratch provides space for the answer.
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

// useKeys answers the packets that waited for the keys. A write to TCP may block for a second,
// so it is done without the lock; packets that arrive meanwhile are queued, because an answer
// that overtakes another would look like reordering downstream.
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

// answer decodes one packet, logs it and creates its echo. The caller holds mu.
func (s *session) answer(b []byte, at time.Time, scratch []byte) (echo, bool) {
	payload, ok := s.decrypt(b)
	if !ok {
		s.r.count.foreign.Add(1)
		return echo{}, false
	}
	// Time in the log must not decrease, even if two timestamps come from two clocks.
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
	// An echo is as long as the packet that it answers, so that both directions carry the same
	// load and the reflector cannot be used for amplification.
	packet, err := s.encrypt(down, len(payload), scratch)
	if err != nil {
		s.fail()
		return echo{}, false
	}
	s.sent++
	return echo{down.Seq, packet, arrivedNS}, true
}

// decrypt returns the payload of a packet of the negotiated stream, in place.
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

// answered records the result of sending e, which began at leftNS.
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
		s.sent = e.seq // the packet was not sent, so its number must not count as lost
	}
	s.fail()
}

// kept records the time that the request of e spent here. Packets of a batch are reported in
// reverse order, so the list may grow by more than one.
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

// record logs an arrival and reports whether its number is a duplicate.
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

// allowance is a token bucket based on the timestamps of the stream.
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
