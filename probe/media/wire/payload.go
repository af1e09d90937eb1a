package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Version is the version of the binary payload. A peer with another version is refused.
const Version = 1

// Sizes of a payload in bytes, without RTP, SRTP, UDP and IP headers.
const (
	UpHeaderBytes   = 16 // smallest up payload
	DownHeaderBytes = 44 // smallest down payload
	DefaultBytes    = 80 // a 20 ms Opus frame at 32 kbit/s
	MaxBytes        = 1200
)

// MaxStampNS limits every timestamp (36 years in ns). Below it no difference of two delays overflows an int64, so a forged
// timestamp cannot corrupt the statistics.
const MaxStampNS = 1 << 60

// Errors of a payload. The parsers wrap them; compare with errors.Is.
var (
	ErrSize      = errors.New("payload size out of range")
	ErrMagic     = errors.New("not a tonprobe payload")
	ErrVersion   = errors.New("payload version not supported")
	ErrDirection = errors.New("payload of the other direction")
	ErrStamp     = errors.New("time stamp out of range")
)

// The payload begins with two magic bytes, the version and the direction. The direction distinguishes the reflector from a
// device that merely returns our own packets.
const (
	magic0, magic1 = 0x54, 0x50 // "TP"
	directionUp    = 1
	directionDown  = 2
)

// flagDuplicate marks the echo of a duplicate upstream packet.
const flagDuplicate = 1 << 0

// Up is the payload from the agent to the reflector.
//
//	0  magic "TP"   2  version   3  direction 1
//	4  Seq uint32   8  SentNS int64   16  padding
//
// All integers are big-endian.
type Up struct {
	Seq    uint32 // 0, 1, 2 …; used only for packets that were really sent
	SentNS int64  // ns since the start of the agent's stream
}

// Down is the payload from the reflector to the agent: the answer to one upstream packet, and a numbered packet of the
// downstream.
//
//	0  magic "TP"   2  version   3  direction 2
//	4  Seq uint32   8  SentNS int64
//	16 UpSeq uint32   20 UpSentNS int64   28 UpArrivedNS int64
//	36 UpUnique uint32   40 flags   41 three bytes zero   44 padding
type Down struct {
	Seq         uint32 // the reflector's own number, incremented per sent packet
	SentNS      int64  // ns on the reflector's monotonic clock
	UpSeq       uint32 // number of the answered upstream packet
	UpSentNS    int64  // its SentNS, copied: ns on the agent's clock
	UpArrivedNS int64  // its arrival, ns on the reflector's monotonic clock
	UpUnique    uint32 // distinct upstream numbers so far, including this one
	Duplicate   bool   // this number had arrived before
}

// TurnaroundNS returns how long the reflector held the packet, in ns. It is not part of the network's round trip.
func (d Down) TurnaroundNS() int64 { return d.SentNS - d.UpArrivedNS }

// AppendUp appends p, padded with zeros to size bytes, to dst. It does not allocate if dst has sufficient capacity.
func AppendUp(dst []byte, p Up, size int) ([]byte, error) {
	if err := checkSize(size, UpHeaderBytes); err != nil {
		return dst, fmt.Errorf("write up payload: %w", err)
	}
	if !stampValid(p.SentNS) {
		return dst, fmt.Errorf("write up payload: %w", ErrStamp)
	}
	end := len(dst) + size
	dst = appendHeader(dst, directionUp, p.Seq, p.SentNS)
	return appendZeros(dst, end), nil
}

// ParseUp parses an upstream payload and ignores padding after the header.
func ParseUp(b []byte) (Up, error) {
	seq, sentNS, err := parseHeader(b, directionUp, UpHeaderBytes)
	if err != nil {
		return Up{}, err
	}
	return Up{Seq: seq, SentNS: sentNS}, nil
}

// AppendDown appends p, padded with zeros to size bytes, to dst. It does not allocate if dst has sufficient capacity.
func AppendDown(dst []byte, p Down, size int) ([]byte, error) {
	if err := checkSize(size, DownHeaderBytes); err != nil {
		return dst, fmt.Errorf("write down payload: %w", err)
	}
	if !p.stampsValid() {
		return dst, fmt.Errorf("write down payload: %w", ErrStamp)
	}
	end := len(dst) + size
	dst = appendHeader(dst, directionDown, p.Seq, p.SentNS)
	dst = binary.BigEndian.AppendUint32(dst, p.UpSeq)
	dst = binary.BigEndian.AppendUint64(dst, uint64(p.UpSentNS))
	dst = binary.BigEndian.AppendUint64(dst, uint64(p.UpArrivedNS))
	dst = binary.BigEndian.AppendUint32(dst, p.UpUnique)
	var flags byte
	if p.Duplicate {
		flags |= flagDuplicate
	}
	dst = append(dst, flags)
	return appendZeros(dst, end), nil
}

// ParseDown parses a downstream payload and ignores unknown flags and padding. A packet sent before its arrival is refused with
// [ErrStamp]: a negative turnaround would make the round trip longer than it was.
func ParseDown(b []byte) (Down, error) {
	seq, sentNS, err := parseHeader(b, directionDown, DownHeaderBytes)
	if err != nil {
		return Down{}, err
	}
	p := Down{
		Seq:         seq,
		SentNS:      sentNS,
		UpSeq:       binary.BigEndian.Uint32(b[16:]),
		UpSentNS:    int64(binary.BigEndian.Uint64(b[20:])),
		UpArrivedNS: int64(binary.BigEndian.Uint64(b[28:])),
		UpUnique:    binary.BigEndian.Uint32(b[36:]),
		Duplicate:   b[40]&flagDuplicate != 0,
	}
	if !p.stampsValid() {
		return Down{}, ErrStamp
	}
	return p, nil
}

func (d Down) stampsValid() bool {
	return stampValid(d.SentNS) && stampValid(d.UpSentNS) && stampValid(d.UpArrivedNS) &&
		d.TurnaroundNS() >= 0
}

func stampValid(ns int64) bool { return ns >= 0 && ns <= MaxStampNS }

func checkSize(size, smallest int) error {
	if size < smallest || size > MaxBytes {
		return fmt.Errorf("%w: %d bytes, want %d to %d", ErrSize, size, smallest, MaxBytes)
	}
	return nil
}

func appendHeader(dst []byte, direction byte, seq uint32, sentNS int64) []byte {
	dst = append(dst, magic0, magic1, Version, direction)
	dst = binary.BigEndian.AppendUint32(dst, seq)
	return binary.BigEndian.AppendUint64(dst, uint64(sentNS))
}

var zeros [MaxBytes]byte

func appendZeros(dst []byte, end int) []byte { return append(dst, zeros[:end-len(dst)]...) }

// parseHeader returns unwrapped sentinels: it runs for each packet of a stream that anyone may send to, and formatting errors would
// make a flood expensive.
func parseHeader(b []byte, direction byte, smallest int) (seq uint32, sentNS int64, err error) {
	switch {
	case len(b) < 4 || len(b) > MaxBytes:
		return 0, 0, ErrSize
	case b[0] != magic0 || b[1] != magic1:
		return 0, 0, ErrMagic
	case b[2] != Version:
		return 0, 0, ErrVersion
	case b[3] != direction:
		return 0, 0, ErrDirection
	case len(b) < smallest:
		return 0, 0, ErrSize
	}
	sentNS = int64(binary.BigEndian.Uint64(b[8:]))
	if !stampValid(sentNS) {
		return 0, 0, ErrStamp
	}
	return binary.BigEndian.Uint32(b[4:]), sentNS, nil
}
