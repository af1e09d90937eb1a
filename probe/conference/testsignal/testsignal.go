// Package testsignal contains a recorded sound in Opus, and finds it in the sound that
// a server returns after it has decoded and encoded it again.
//
// Such a server (FreeSWITCH behind BigBlueButton) sends its own packets: neither numbers nor
// payloads are preserved, but the sound is. It consists of sweeps of 140 ms, one every 200 ms,
// that rise or fall in a fixed pattern, by which the position of each one is determined.
package testsignal

import (
	_ "embed"
	"math"
	"time"
)

// Properties of the sound. RTP for Opus uses 48 kHz (RFC 7587 §4.1); the sweeps are in
// the telephone band, which every bandwidth of the codec passes, and are searched at 8
// kHz.
const (
	// PacketTime is the duration of a packet.
	PacketTime = 20 * time.Millisecond
	// Packets is the number of packets of the whole sound.
	Packets = 160
	// PacketBytes is the length of each: constant bit rate of 24 kbit/s.
	PacketBytes = 60
	// StampStep is the increment of the RTP timestamp per packet.
	StampStep = 960

	searchHz     = 8000
	cellSamples  = searchHz / 5      // 200 ms
	sweepSamples = 7 * searchHz / 50 // 140 ms
	packetSample = searchHz / 50
	lowHz        = 500
	highHz       = 2800
	sweeps       = Packets * packetSample / cellSamples
)

// rising is the pattern: the Barker code of length 13, whose shifted copies match in
// few positions, and three more.
const rising = "1111100110101001"

// encoderDelay is the look-ahead of the encoder that created the recording (6.5 ms, RFC
// 6716 §2): the first sweep begins that much after the beginning of the first packet.
const encoderDelay = 52 // samples at searchHz

// recording is the sound: Packets packets of PacketBytes each, encoded by libopus with
// "-application voip -vbr off -b:a 24k -frame_duration 20". TestRecording with -update
// generates it.
//
//go:embed recording.opus
var recording []byte

// Packet returns the payload of packet i of the sound, which repeats after Packets
// packets. It must not be modified.
func Packet(i int) []byte {
	at := i % Packets * PacketBytes
	return recording[at : at+PacketBytes : at+PacketBytes]
}

// sweep returns a sweep with faded ends, as in the recording, at searchHz.
func sweep(rises bool, rateHz int) []float64 {
	n := sweepSamples * rateHz / searchHz
	from, to := float64(lowHz), float64(highHz)
	if !rises {
		from, to = to, from
	}
	fade := rateHz / 200 // 5 ms
	out := make([]float64, n)
	seconds := float64(n) / float64(rateHz)
	for i := range out {
		t := float64(i) / float64(rateHz)
		out[i] = math.Sin(2 * math.Pi * (from*t + (to-from)*t*t/(2*seconds)))
		if edge := min(i, n-1-i); edge < fade {
			out[i] *= float64(edge) / float64(fade)
		}
	}
	return out
}
