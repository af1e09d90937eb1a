package power

import (
	"math/rand/v2"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Delay returns the delay of a voice packet in one direction by its sending time;
// negative means lost.
type Delay func(at time.Duration) time.Duration

// Steady returns a constant delay.
func Steady(delay time.Duration) Delay {
	return func(time.Duration) time.Duration { return delay }
}

// Uniform adds a uniform delay up to width, independent for each packet. Its mean
// |D| (RFC 3550) is a third of the width.
func Uniform(r *rand.Rand, base, width time.Duration) Delay {
	return func(time.Duration) time.Duration { return base + time.Duration(r.Float64()*float64(width)) }
}

// Spikes delays one packet in ten by height: a mean |D| of 0.18 of it.
func Spikes(r *rand.Rand, base, height time.Duration) Delay {
	return func(time.Duration) time.Duration {
		if r.Float64() < 0.1 {
			return base + height
		}
		return base
	}
}

// Bottleneck is a queue before a line with a rate, which drops packets that would
// wait longer than limit. Beside the voice it carries the rest of the check:
// packets of 72 bytes (the three streams of the path), 60 times a second, from 0.5
// s on for five seconds.
func Bottleneck(base time.Duration, kbps float64, limit time.Duration) Delay {
	var free time.Duration // when the line has sent all queued packets
	next := 500 * time.Millisecond
	send := func(at time.Duration, bytes int) (done time.Duration, ok bool) {
		free = max(free, at)
		if free-at > limit {
			return 0, false
		}
		free += time.Duration(float64(8*bytes) / kbps * float64(time.Millisecond))
		return free, true
	}
	return func(at time.Duration) time.Duration {
		for ; next <= at && next < 5500*time.Millisecond; next += time.Second / 60 {
			send(next, 72)
		}
		done, ok := send(at, voiceBytes)
		if !ok {
			return -1
		}
		return done - at + base
	}
}

// voiceBytes is the size of a voice packet with the headers of IPv4, UDP and RTP
// and the tag of SRTP, as probe/media counts it.
const voiceBytes = wire.DefaultBytes + 20 + 8 + 12 + 16

// RunDelay simulates a check on a line with delay, and returns its report.
func RunDelay(r *rand.Rand, up, down Delay) *report.Report {
	rep := Run(r, Line{}, Situation{Router: "echo", Gateway: true})
	v := report.Find[report.MediaVoice](rep)
	var there, back []stats.Packet
	var echoes []stats.Echo
	for i := range voicePackets {
		sent := time.Duration(i) * packetInterval
		took := up(sent)
		if took < 0 {
			continue
		}
		arrived := sent + took
		there = append(there, stats.Packet{Seq: uint32(i), SentNS: int64(sent), ArrivedNS: int64(arrived)})
	}
	sortByArrival(there)
	for i, p := range there {
		sent := time.Duration(p.ArrivedNS)
		took := down(sent)
		if took < 0 {
			continue
		}
		back = append(back, stats.Packet{Seq: uint32(i), SentNS: int64(sent), ArrivedNS: int64(sent + took)})
		echoes = append(echoes, stats.Echo{UpSeq: p.Seq, SentNS: p.SentNS, ReturnedNS: int64(sent + took)})
	}
	sortByArrival(back)
	u := stats.Summarise(stats.Direction{Sent: voicePackets, IntervalNS: int64(packetInterval), Packets: there})
	d := stats.Summarise(stats.Direction{Sent: len(there), IntervalNS: int64(packetInterval), Packets: back})
	fill(v, u, d, stats.RoundTripsOf(echoes), len(there))
	return rep
}
