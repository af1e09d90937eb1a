package arrival

import (
	"encoding/binary"
	"sync"
	"time"
)

// Stamps stores the arrival times of recent RTP packets. It has a fixed size: if none of the possible positions of a packet is
// free, its entry replaces the oldest one there. It is safe for concurrent use.
type Stamps struct {
	mu    sync.Mutex
	slots [slots]slot
}

const (
	slots = 1 << 12
	// probe is the number of possible positions of a packet, so that copies of a duplicated packet fit.
	probe = 8
	// oldest is the age above which an entry belongs to another packet, or the clock has jumped.
	oldest = time.Second
)

type slot struct {
	key uint64 // 0: free
	at  time.Time
}

// keyOf combines SSRC and sequence number, which SRTP does not encrypt (RFC 3711 §3.1). The top bit is set, so no key
// is zero.
func keyOf(packet []byte) (key uint64, ok bool) {
	// RFC 7983 §7: RTP begins with 128 to 191; RTCP has types 192 to 223 in the second byte (RFC 5761 §4).
	if len(packet) < 12 || packet[0]&0xc0 != 0x80 || packet[1] >= 192 && packet[1] <= 223 {
		return 0, false
	}
	ssrc, seq := binary.BigEndian.Uint32(packet[8:]), binary.BigEndian.Uint16(packet[2:])
	return numberKey(ssrc, seq), true
}

func numberKey(ssrc uint32, seq uint16) uint64 { return 1<<63 | uint64(ssrc)<<16 | uint64(seq) }

// first returns the first position for a key: consecutive numbers are probe positions apart.
func first(key uint64) int {
	return int((key*probe + (key>>16)*0x9e3779b97f4a7c15>>40*probe) % slots)
}

// Note stores the arrival time of packet, if it is RTP.
func (s *Stamps) Note(packet []byte, at time.Time) {
	key, ok := keyOf(packet)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	start, place := first(key), -1
	for i := range probe {
		at := &s.slots[(start+i)%slots]
		if at.key == 0 {
			place = i
			break
		}
		if place < 0 || at.at.Before(s.slots[(start+place)%slots].at) {
			place = i
		}
	}
	s.slots[(start+place)%slots] = slot{key, at}
}

// Take returns and removes the arrival time of packet, which begins with its RTP header. If it is unknown it returns now.
// Of a packet that arrived twice, the first arrival is taken first.
func (s *Stamps) Take(packet []byte, now time.Time) time.Time {
	key, ok := keyOf(packet)
	if !ok {
		return now
	}
	at, ok := s.take(key)
	if age := now.Sub(at); !ok || age < 0 || age > oldest {
		return now
	}
	return at
}

// TakeSent returns and removes the departure time of packet seq of ssrc; false if it is unknown.
func (s *Stamps) TakeSent(ssrc uint32, seq uint16) (time.Time, bool) {
	return s.take(numberKey(ssrc, seq))
}

func (s *Stamps) take(key uint64) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found *slot
	for i := range probe {
		at := &s.slots[(first(key)+i)%slots]
		if at.key == key && (found == nil || at.at.Before(found.at)) {
			found = at
		}
	}
	if found == nil {
		return time.Time{}, false
	}
	at := found.at
	*found = slot{}
	return at, true
}
