package testsignal

import (
	"math"
	"time"

	"github.com/pion/opus"
)

// Arrival is a received packet.
type Arrival struct {
	// Seq and Stamp are the RTP sequence number and timestamp (48 kHz), unwrapped
	// beyond 16 and 32 bits.
	Seq, Stamp int64
	// At is the time of arrival since any fixed time.
	At time.Duration
	// Payload is its Opus payload.
	Payload []byte
}

// Sweep is a sweep that was found in the received sound.
type Sweep struct {
	// Index is its position in the sound.
	Index int
	// Heard is the correlation with the original sweep, 0..1.
	Heard float64
	// Sent is when its beginning was sent, and Arrived when it returned.
	Sent, Arrived time.Duration
}

// heardFrom is the correlation from which a sweep counts as one of the recorded sound.
// Through a second encoder it reaches 0.9, and with 30 % of the packets lost two of three
// sweeps exceed it. Speech, noise and tones stay below 0.25 (TestOtherSound).
const heardFrom = 0.35

// maxSamples limits the sound that is searched, and thereby the time of a search: 10 s.
const maxSamples = 10 * searchHz

// maxDrift is the maximum deviation, in packets, of a sweep from the position predicted by
// the previous one: a server that conceals or omits lost packets shifts the sound by whole
// packets.
const maxDrift = 3

// Find searches for the sweeps in packets, which must be in order of their timestamps.
// sentAt contains the sending time of each packet of the sound, on the same clock as the
// arrivals.
func Find(packets []Arrival, sentAt []time.Duration) []Sweep {
	sound, came := decode(packets)
	if len(sound) < sweepSamples {
		return nil
	}
	match := [2][]float64{correlate(sound, sweep(false, searchHz)), correlate(sound, sweep(true, searchHz))}
	var found []Sweep
	for k, block := range align(match) {
		at, heard := peak(match[rise(k)], block)
		if heard < heardFrom {
			continue
		}
		sent, known := timeOf(sentAt, k*cellSamples+encoderDelay)
		arrived, here := came.timeOf(at)
		if known && here && arrived >= sent { // what arrived before it was sent is foreign
			found = append(found, Sweep{Index: k, Heard: heard, Sent: sent, Arrived: arrived})
		}
	}
	return found
}

func rise(k int) int { return int(rising[k] - '0') }

// arrivals contains the arrival times of the packets of a decoded sound, by sample.
type arrivals struct {
	first int64 // stamp
	at    map[int]time.Duration
}

// timeOf returns the arrival time of a sample. As the whole packet arrives at once, the samples
// keep their relative positions; Sent is computed in the same way.
func (a arrivals) timeOf(sample int) (time.Duration, bool) {
	at, ok := a.at[sample/packetSample]
	return at + samples(sample%packetSample), ok
}

// timeOf returns the sending time of a sample of the sound.
func timeOf(sentAt []time.Duration, sample int) (time.Duration, bool) {
	i := sample / packetSample
	if i >= len(sentAt) {
		return 0, false
	}
	return sentAt[i] + samples(sample%packetSample), true
}

func samples(n int) time.Duration { return time.Duration(n) * time.Second / searchHz }

// decode returns the sound of the packets at searchHz; missing parts are silent. It
// requires packets of 20 ms, which BigBlueButton negotiates (ptime 20).
func decode(packets []Arrival) ([]float64, arrivals) {
	if len(packets) == 0 {
		return nil, arrivals{}
	}
	came := arrivals{first: packets[0].Stamp, at: map[int]time.Duration{}}
	decoder, err := opus.NewDecoderWithOutput(searchHz, 1)
	if err != nil {
		return nil, came
	}
	var sound []float64
	out := make([]float32, 6*packetSample) // the longest packet, 120 ms
	for _, p := range packets {
		begin := int((p.Stamp - came.first) * searchHz / 48000)
		if begin < 0 || begin+len(out) > maxSamples {
			continue
		}
		n := decodePacket(&decoder, p.Payload, out)
		if n <= 0 {
			continue
		}
		if need := begin + n; len(sound) < need {
			sound = append(sound, make([]float64, need-len(sound))...)
		}
		for i, v := range out[:n] {
			sound[begin+i] = float64(v)
		}
		for i := begin / packetSample; i < (begin+n+packetSample-1)/packetSample; i++ {
			came.at[i] = p.At
		}
	}
	return sound, came
}

// decodePacket returns the number of samples; 0 for a packet that cannot be decoded.
// The payload is untrusted and the decoder is young: a panic of it must not end the
// check.
func decodePacket(d *opus.Decoder, payload []byte, out []float32) (n int) {
	defer func() {
		if recover() != nil {
			n = 0
		}
	}()
	n, err := d.DecodeToFloat32(payload, out)
	if err != nil {
		return 0
	}
	return n
}

// correlate returns, for each start, the correlation of the sound with the pattern: 1
// if it equals the pattern at any volume.
func correlate(sound, pattern []float64) []float64 {
	var patternEnergy, energy float64
	for _, v := range pattern {
		patternEnergy += v * v
	}
	for _, v := range sound[:len(pattern)] {
		energy += v * v
	}
	out := make([]float64, len(sound)-len(pattern)+1)
	for at := range out {
		// Below -80 dBFS there is only rounding noise.
		if floor := 1e-8 * float64(len(pattern)); energy > floor {
			var sum float64
			for i, v := range pattern {
				sum += v * sound[at+i]
			}
			out[at] = math.Abs(sum) / math.Sqrt(patternEnergy*energy)
		}
		if next := at + len(pattern); next < len(sound) {
			energy += sound[next]*sound[next] - sound[at]*sound[at]
		}
	}
	return out
}

// align returns, for each sweep of the sound, the block of one packet in which it begins
// in the received sound, as far as that can be determined; a block outside of it means
// that the sweep is missing.
//
// It searches for the best sequence of positions: the distance from one sweep to the next
// is that of the sound, or differs by at most maxDrift packets.
func align(match [2][]float64) [sweeps]int {
	const cell = cellSamples / packetSample
	const around = sweeps * (cell + maxDrift) // blocks before and after the received sound
	const perBlock = 0.01                     // a drift requires a gain
	blocks := (len(match[0]) + packetSample - 1) / packetSample
	n := around + blocks + around
	score := make([]float64, n) // of the best sequence that ends here
	var from [sweeps][]int
	for k := range sweeps {
		next := make([]float64, n)
		from[k] = make([]int, n)
		for at := range n {
			value := 0.0
			if _, heard := peak(match[rise(k)], at-around); heard >= heardFrom {
				value = heard
			}
			from[k][at] = -1
			best := math.Inf(-1)
			if k == 0 {
				best = 0
			}
			for drift := -maxDrift; k > 0 && drift <= maxDrift; drift++ {
				prior := at - cell - drift
				if prior < 0 || prior >= n {
					continue
				}
				if v := score[prior] - perBlock*math.Abs(float64(drift)); v > best {
					best, from[k][at] = v, prior
				}
			}
			next[at] = best + value
		}
		score = next
	}
	end := 0
	for at, v := range score {
		if v > score[end] {
			end = at
		}
	}
	var places [sweeps]int
	for k := sweeps - 1; k >= 0 && end >= 0; k-- {
		places[k] = end - around
		end = from[k][end]
	}
	return places
}

// peak returns the largest value within a block, and where it is.
func peak(match []float64, block int) (at int, value float64) {
	begin := block * packetSample
	if begin < 0 {
		return 0, 0
	}
	for i := begin; i < begin+packetSample && i < len(match); i++ {
		if match[i] > value {
			at, value = i, match[i]
		}
	}
	return at, value
}
