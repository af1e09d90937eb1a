package recorder

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/agent/watch"
)

// Every is the interval of the samples.
const Every = 2 * time.Second

// Echo is the result of one small packet.
type Echo struct {
	// Asked is false if no packet was sent, or if the machine has never answered: a missing answer is
	// then no evidence about the connection.
	Asked bool
	// Answered is true if the answer came in time, after RTT.
	Answered bool
	RTT      time.Duration
}

// lost reports whether a packet was sent and not answered.
func (e Echo) lost() bool { return e.Asked && !e.Answered }

// Sample is the state of the computer at one time. nil and "" mean unknown.
type Sample struct {
	At time.Time
	// Link is wifi, ethernet, cellular, vpn, or none without a connection.
	Link string
	// WiFiOff is true if a person switched the Wi-Fi off.
	WiFiOff bool
	// Gateway is the next router, Server the collector.
	Gateway, Server      Echo
	SignalDBM            *float64
	CPUPct, MemoryFreeMB *float64
	Muted, InUse         *bool
	// Programs are the running clients, in the order of watch.Clients.
	Programs []string
}

// sampleBytes is the size of a sample on disk.
const sampleBytes = 32

// samplesPerSlot is the number of samples that are written together: one minute.
const samplesPerSlot = 30

var (
	sampleLayout = layout{name: "samples", magic: [4]byte{'T', 'P', 'S', '1'}, slotBytes: 1024, slots: 32}
	eventLayout  = layout{name: "events", magic: [4]byte{'T', 'P', 'E', '1'}, slotBytes: 256, slots: 512}
)

// links are the values of Sample.Link by their number on disk.
var links = [...]string{"", "none", "wifi", "ethernet", "cellular", "vpn"}

// Bits of the flags of a sample. A boolean that may be unknown has two: known, and true.
const (
	flagGatewayAsked = 1 << iota
	flagGatewayAnswered
	flagServerAsked
	flagServerAnswered
	flagMutedKnown
	flagMuted
	flagInUseKnown
	flagInUse
	flagWiFiOff
	flagSignal
	flagCPU
	flagMemory
)

// rttUnit is the resolution of a round trip on disk; the largest is 6.5 s.
const rttUnit = 100 * time.Microsecond

// put encodes a sample into 32 bytes:
//
//	time(8, ms since 1970) flags(2) link(1) signal(1, dBm) CPU(1, %) 0(1)
//	gateway(2) server(2) memory(4, MB) programs(4, bits) zeros
func (s Sample) put(b []byte) {
	clear(b[:sampleBytes])
	flags := echoFlags(s.Gateway) | echoFlags(s.Server)<<2 | boolFlags(s.Muted)<<4 | boolFlags(s.InUse)<<6
	if s.WiFiOff {
		flags |= flagWiFiOff
	}
	if s.SignalDBM != nil {
		flags |= flagSignal
		b[11] = byte(int8(math.Round(max(-128, min(127, *s.SignalDBM)))))
	}
	if s.CPUPct != nil {
		flags |= flagCPU
		b[12] = byte(math.Round(max(0, min(100, *s.CPUPct))))
	}
	if s.MemoryFreeMB != nil {
		flags |= flagMemory
		binary.LittleEndian.PutUint32(b[18:], uint32(max(0, min(math.MaxUint32, *s.MemoryFreeMB))))
	}
	binary.LittleEndian.PutUint64(b, uint64(s.At.UnixMilli()))
	binary.LittleEndian.PutUint16(b[8:], flags)
	b[10] = byte(max(0, slices.Index(links[:], s.Link)))
	binary.LittleEndian.PutUint16(b[14:], rttOnDisk(s.Gateway.RTT))
	binary.LittleEndian.PutUint16(b[16:], rttOnDisk(s.Server.RTT))
	binary.LittleEndian.PutUint32(b[22:], bitsOf(s.Programs))
}

func echoFlags(e Echo) (flags uint16) {
	if e.Asked {
		flags |= flagGatewayAsked
	}
	if e.Answered {
		flags |= flagGatewayAnswered
	}
	return flags
}

func boolFlags(v *bool) (flags uint16) {
	if v != nil {
		flags = 1
		if *v {
			flags |= 2
		}
	}
	return flags
}

func rttOnDisk(d time.Duration) uint16 { return uint16(max(0, min(math.MaxUint16, d/rttUnit))) }

func bitsOf(programs []string) (bits uint32) {
	for i, name := range watch.Clients() {
		if slices.Contains(programs, name) {
			bits |= 1 << i
		}
	}
	return bits
}

// parseSample decodes a sample; ok is false if the bytes cannot be the result of put.
func parseSample(b []byte) (s Sample, ok bool) {
	if len(b) < sampleBytes || int(b[10]) >= len(links) {
		return Sample{}, false
	}
	ms := int64(binary.LittleEndian.Uint64(b))
	// A report can hold the years 1 to 9999.
	if ms < -62135596800000 || ms > 253402300799000 {
		return Sample{}, false
	}
	flags := binary.LittleEndian.Uint16(b[8:])
	s = Sample{
		At: time.UnixMilli(ms).UTC(), Link: links[b[10]], WiFiOff: flags&flagWiFiOff != 0,
		Gateway: parseEcho(flags, binary.LittleEndian.Uint16(b[14:])),
		Server:  parseEcho(flags>>2, binary.LittleEndian.Uint16(b[16:])),
		Muted:   parseBool(flags >> 4), InUse: parseBool(flags >> 6),
	}
	if flags&flagSignal != 0 {
		s.SignalDBM = new(float64(int8(b[11])))
	}
	if flags&flagCPU != 0 {
		s.CPUPct = new(min(100, float64(b[12])))
	}
	if flags&flagMemory != 0 {
		s.MemoryFreeMB = new(float64(binary.LittleEndian.Uint32(b[18:])))
	}
	bits := binary.LittleEndian.Uint32(b[22:])
	for i, name := range watch.Clients() {
		if bits&(1<<i) != 0 {
			s.Programs = append(s.Programs, name)
		}
	}
	return s, true
}

func parseEcho(flags, rtt uint16) Echo {
	e := Echo{Asked: flags&flagGatewayAsked != 0, Answered: flags&flagGatewayAnswered != 0}
	if e.Answered {
		e.RTT = time.Duration(rtt) * rttUnit
	}
	return e
}

func parseBool(flags uint16) *bool {
	if flags&1 == 0 {
		return nil
	}
	return new(flags&2 != 0)
}
