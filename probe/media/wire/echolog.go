package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
)

// EchoLogVersion is the version of the JSON of an [EchoLog].
const EchoLogVersion = 1

// Limits of an echo log. 10,000 arrivals are 200 s at 50 packets/s; further ones are counted in Unlisted. No
// valid log is longer.
const (
	MaxArrivals     = 10_000
	MaxPackets      = 1_000_000 // limits every count, and thereby the memory that a hostile log can cause a reader to allocate
	MaxEchoLogBytes = 768 << 10
)

// ErrEchoLog means that a log of arrivals is inconsistent or exceeds a limit. It must not be used for
// statistics: the upstream direction is then unknown.
var ErrEchoLog = errors.New("invalid echo log")

// Arrival is an upstream packet received by the reflector.
type Arrival struct {
	Seq       uint32
	ArrivedNS int64 // ns on the reflector's monotonic clock
	Duplicate bool  // the number had arrived before
}

// EchoLog is the reflector's record of one stream, in order of arrival, returned when the agent ends the stream
// (DELETE on the echo resource). It is the only source for what arrived: echoes lost downstream say nothing about
// the upstream.
//
// The columns contain differences to the previous entry (to 0 for the first), which keeps 6 s of speech under 8 KB
// before compression.
type EchoLog struct {
	Version          int     `json:"version"`
	SeqDelta         []int64 `json:"seq_delta"`
	ArrivedDeltaNS   []int64 `json:"arrived_delta_ns"`
	DuplicateIndexes []int   `json:"duplicate_indexes,omitempty"` // ascending positions in the columns

	// UpUnique is the number of distinct upstream numbers that arrived, including unlisted ones.
	UpUnique int `json:"up_unique"`
	// Unlisted is the number of arrivals after the list was full.
	Unlisted int `json:"unlisted,omitempty"`
	// DownSent is the number of downstream packets, numbered from 0, that left the reflector.
	DownSent int `json:"down_sent"`
	// TurnaroundNS contains, by number of the downstream packet, the time that the reflector held the packet
	// that it answers: from its arrival until the answer was passed to the kernel, in ns. The timestamp in the
	// answer is earlier, because encryption follows it. The list may be shorter than DownSent, or missing.
	TurnaroundNS []int64 `json:"turnaround_ns,omitempty"`
	// DownFailed is the number of packets that the reflector's socket refused. They are the reflector's fault
	// and have no number, so they never count as loss.
	DownFailed int `json:"down_failed,omitempty"`
	// AnsweredMS is [ICEConfig.AnsweredMS] at the end of the stream.
	AnsweredMS *int64 `json:"answered_ms,omitempty"`
}

// NewEchoLog returns a log of arrivals, which must be in order of arrival. Arrivals beyond [MaxArrivals] are only
// counted; UpUnique counts those that are not marked as duplicates.
func NewEchoLog(arrivals []Arrival, downSent, downFailed int) *EchoLog {
	listed := arrivals[:min(len(arrivals), MaxArrivals)]
	log := &EchoLog{
		Version:        EchoLogVersion,
		SeqDelta:       make([]int64, 0, len(listed)),
		ArrivedDeltaNS: make([]int64, 0, len(listed)),
		Unlisted:       len(arrivals) - len(listed),
		DownSent:       downSent,
		DownFailed:     downFailed,
	}
	var before Arrival
	for i, a := range listed {
		log.SeqDelta = append(log.SeqDelta, int64(a.Seq)-int64(before.Seq))
		log.ArrivedDeltaNS = append(log.ArrivedDeltaNS, a.ArrivedNS-before.ArrivedNS)
		if a.Duplicate {
			log.DuplicateIndexes = append(log.DuplicateIndexes, i)
		}
		before = a
	}
	for _, a := range arrivals {
		if !a.Duplicate {
			log.UpUnique++
		}
	}
	return log
}

// ParseEchoLog parses and validates the JSON of a log. Every error is an [ErrEchoLog].
func ParseEchoLog(b []byte) (*EchoLog, error) {
	if len(b) > MaxEchoLogBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d allowed", ErrEchoLog, len(b), MaxEchoLogBytes)
	}
	var log EchoLog
	if err := json.Unmarshal(b, &log); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEchoLog, err)
	}
	if err := log.Validate(); err != nil {
		return nil, err
	}
	return &log, nil
}

// All yields the listed arrivals in order. The log must be valid.
func (l *EchoLog) All() iter.Seq2[int, Arrival] {
	return func(yield func(int, Arrival) bool) {
		var seq, arrivedNS int64
		duplicates := l.DuplicateIndexes
		for i := range l.SeqDelta {
			seq += l.SeqDelta[i]
			arrivedNS += l.ArrivedDeltaNS[i]
			duplicate := len(duplicates) > 0 && duplicates[0] == i
			if duplicate {
				duplicates = duplicates[1:]
			}
			if !yield(i, Arrival{Seq: uint32(seq), ArrivedNS: arrivedNS, Duplicate: duplicate}) {
				return
			}
		}
	}
}

// Arrivals returns the listed arrivals in order. The log must be valid.
func (l *EchoLog) Arrivals() []Arrival {
	arrivals := make([]Arrival, 0, len(l.SeqDelta))
	for _, a := range l.All() {
		arrivals = append(arrivals, a)
	}
	return arrivals
}

// Validate returns an [ErrEchoLog] that describes the problem, or nil.
func (l *EchoLog) Validate() error {
	if err := l.validateCounts(); err != nil {
		return fmt.Errorf("%w: %w", ErrEchoLog, err)
	}
	if err := l.validateColumns(); err != nil {
		return fmt.Errorf("%w: %w", ErrEchoLog, err)
	}
	if err := l.validateDuplicates(); err != nil {
		return fmt.Errorf("%w: %w", ErrEchoLog, err)
	}
	if err := l.validateTurnarounds(); err != nil {
		return fmt.Errorf("%w: %w", ErrEchoLog, err)
	}
	return nil
}

func (l *EchoLog) validateTurnarounds() error {
	if n := len(l.TurnaroundNS); n > MaxArrivals || n > l.DownSent {
		return fmt.Errorf("%d turnarounds of %d packets", n, l.DownSent)
	}
	for k, ns := range l.TurnaroundNS {
		if !stampValid(ns) {
			return fmt.Errorf("turnaround %d: %w", k, ErrStamp)
		}
	}
	return nil
}

func (l *EchoLog) validateCounts() error {
	switch {
	case l.Version != EchoLogVersion:
		return fmt.Errorf("version %d, want %d", l.Version, EchoLogVersion)
	case len(l.SeqDelta) > MaxArrivals:
		return fmt.Errorf("%d arrivals, at most %d allowed", len(l.SeqDelta), MaxArrivals)
	case len(l.SeqDelta) != len(l.ArrivedDeltaNS):
		return fmt.Errorf("%d numbers but %d arrival times", len(l.SeqDelta), len(l.ArrivedDeltaNS))
	case l.Unlisted < 0 || l.Unlisted > MaxPackets || l.UpUnique < 0 || l.UpUnique > MaxPackets ||
		l.DownSent < 0 || l.DownSent > MaxPackets || l.DownFailed < 0 || l.DownFailed > MaxPackets:
		return errors.New("a count is out of range")
	case l.Unlisted > 0 && len(l.SeqDelta) < MaxArrivals:
		return fmt.Errorf("%d arrivals not listed, but the list has only %d", l.Unlisted, len(l.SeqDelta))
	}
	return nil
}

func (l *EchoLog) validateColumns() error {
	var seq, arrivedNS int64
	for i := range l.SeqDelta {
		if d := l.SeqDelta[i]; d < -1<<32 || d > 1<<32 {
			return fmt.Errorf("arrival %d: step of %d between numbers", i, d)
		}
		seq += l.SeqDelta[i]
		if seq < 0 || seq >= 1<<32 {
			return fmt.Errorf("arrival %d: number %d out of range", i, seq)
		}
		d := l.ArrivedDeltaNS[i]
		if d < 0 {
			return fmt.Errorf("arrival %d: %d ns before the previous arrival", i, -d)
		}
		if d > MaxStampNS || arrivedNS+d > MaxStampNS {
			return fmt.Errorf("arrival %d: %w", i, ErrStamp)
		}
		arrivedNS += d
	}
	return nil
}

// validateDuplicates compares the flags with the numbers: a log with too few or too many marks would hide or
// invent loss.
func (l *EchoLog) validateDuplicates() error {
	for i, at := range l.DuplicateIndexes {
		if at < 0 || at >= len(l.SeqDelta) || i > 0 && at <= l.DuplicateIndexes[i-1] {
			return fmt.Errorf("duplicate index %d out of order or range", at)
		}
	}
	seen := make(map[uint32]struct{}, len(l.SeqDelta))
	for i, a := range l.All() {
		_, before := seen[a.Seq]
		if before != a.Duplicate {
			return fmt.Errorf("arrival %d: number %d marked duplicate=%t, but is duplicate=%t", i, a.Seq, a.Duplicate, before)
		}
		seen[a.Seq] = struct{}{}
	}
	if l.UpUnique < len(seen) || l.UpUnique > len(seen)+l.Unlisted {
		return fmt.Errorf("%d different numbers claimed, %d listed and %d arrivals not listed", l.UpUnique, len(seen), l.Unlisted)
	}
	return nil
}
