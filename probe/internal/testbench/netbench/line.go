package netbench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Line is what one direction of one segment does to packets. The zero value
// lets everything through at once.
//
// The order is that of a real line: filter, MTU, loss on the medium, the queue
// before the bottleneck, delay, doubling.
type Line struct {
	// DelayMS is added to every packet.
	DelayMS float64 `toml:"delay_ms"`

	// Jitter is the shape of the variable delay on top, JitterMS its size:
	//	uniform  anything from 0 to JitterMS
	//	normal   mean JitterMS, deviation half of it, cut at 0 and twice the mean
	//	spikes   SpikePct percent of the packets are late by JitterMS
	//	stalls   every StallEveryMS on average nothing passes for half to one and a
	//	         half times JitterMS; what came meanwhile passes at once (Wi-Fi, LTE)
	//	grid     packets wait for the next multiple of JitterMS (slots of LTE, DOCSIS)
	Jitter       string  `toml:"jitter"`
	JitterMS     float64 `toml:"jitter_ms"`
	SpikePct     float64 `toml:"spike_pct"`
	StallEveryMS float64 `toml:"stall_every_ms"`
	// Overtaking lets packets of a shorter variable delay pass those before them.
	Overtaking bool `toml:"overtaking"`

	// LossPct is independent loss.
	LossPct float64 `toml:"loss_pct"`
	// BurstLossPct is the mean loss of a Gilbert-Elliott channel that loses all
	// in its bad state, BurstPackets the mean length of that state in packets.
	BurstLossPct float64 `toml:"burst_loss_pct"`
	BurstPackets float64 `toml:"burst_packets"`
	// BadLossPct is what is lost in the bad state when it is not all.
	BadLossPct float64 `toml:"bad_loss_pct"`

	// ReorderPct percent of the packets are held back by ReorderMS and overtaken.
	ReorderPct float64 `toml:"reorder_pct"`
	ReorderMS  float64 `toml:"reorder_ms"`
	// DuplicatePct percent arrive twice, the second 1 ms later.
	DuplicatePct float64 `toml:"duplicate_pct"`

	// RateKbps is the bottleneck; 0 is none. Before it stands a queue of at most
	// QueueMS or QueueBytes (the smaller; 100 ms when neither is named), whose
	// end drops.
	RateKbps   float64 `toml:"rate_kbps"`
	QueueMS    float64 `toml:"queue_ms"`
	QueueBytes float64 `toml:"queue_bytes"`
	// CrossKbps is other people's traffic through the same bottleneck: packets
	// of 1500 bytes at random times.
	CrossKbps float64 `toml:"cross_kbps"`
	// Bulk is one long transfer of the same household: as TCP does it keeps the
	// queue between half full and full.
	Bulk bool `toml:"bulk"`

	// MTU in bytes; 0 is none. Larger packets with DF are dropped, with an ICMP
	// "fragmentation needed" unless MTUSilent, the black hole.
	MTU       int  `toml:"mtu"`
	MTUSilent bool `toml:"mtu_silent"`

	// Block drops what it names and Allow does not: "all", "ipv6", "udp", "tcp",
	// "icmp", "udp/3478", "tcp/1024-65535". The port is the server's.
	Block []string `toml:"block"`
	Allow []string `toml:"allow"`
	// Reject answers what Block drops with an ICMP "administratively prohibited"
	// (RFC 1812 §5.2.7.1), of the router at the segment's beginning.
	Reject bool `toml:"reject"`
}

// Reasons of a drop, as they stand in the truth.
const (
	dropBlocked = "blocked"
	dropMTU     = "mtu"
	dropLoss    = "loss"
	dropQueue   = "queue"
)

// lane is a Line at work. Times are nanoseconds since the link began.
type lane struct {
	Line
	rand  *rand.Rand
	block filter
	allow filter

	bad       bool  // state of the Gilbert-Elliott channel
	busyNS    int64 // when the bottleneck has sent all that is queued
	crossNS   int64 // when the next packet of CrossKbps comes
	lastOutNS int64
	stallFrom int64
	stallTo   int64
}

// newLane fails on filters that cannot be read.
func newLane(l Line, r *rand.Rand, nowNS int64) (*lane, error) {
	p := &lane{Line: l, rand: r, crossNS: nowNS, busyNS: nowNS}
	var err error
	if p.block, err = parseFilter(l.Block); err != nil {
		return nil, err
	}
	if p.allow, err = parseFilter(l.Allow); err != nil {
		return nil, err
	}
	if l.Jitter == "stalls" {
		p.stallTo = nowNS
		p.nextStall()
	}
	return p, nil
}

// validate says what a line cannot do.
func (l Line) validate() error {
	for what, pct := range map[string]float64{
		"loss_pct": l.LossPct, "burst_loss_pct": l.BurstLossPct, "bad_loss_pct": l.BadLossPct,
		"reorder_pct": l.ReorderPct, "duplicate_pct": l.DuplicatePct, "spike_pct": l.SpikePct,
	} {
		if !(pct >= 0 && pct <= 100) {
			return fmt.Errorf("%s = %v is no percentage", what, pct)
		}
	}
	for what, v := range map[string]float64{
		"delay_ms": l.DelayMS, "jitter_ms": l.JitterMS, "reorder_ms": l.ReorderMS, "rate_kbps": l.RateKbps,
		"queue_ms": l.QueueMS, "queue_bytes": l.QueueBytes, "cross_kbps": l.CrossKbps, "stall_every_ms": l.StallEveryMS,
	} {
		// Tiny rates and times would keep the link busy with itself.
		if v != 0 && !(v >= 0.001 && v <= 1e7) {
			return fmt.Errorf("%s = %v: want 0, or 0.001 to 10,000,000", what, v)
		}
	}
	switch l.Jitter {
	case "", "uniform", "normal", "grid":
	case "spikes":
		if l.SpikePct == 0 {
			return fmt.Errorf("jitter spikes needs spike_pct")
		}
	case "stalls":
		if l.StallEveryMS == 0 {
			return fmt.Errorf("jitter stalls needs stall_every_ms")
		}
	default:
		return fmt.Errorf("jitter %q: want uniform, normal, spikes, stalls or grid", l.Jitter)
	}
	switch {
	case (l.Jitter == "") != (l.JitterMS == 0):
		return fmt.Errorf("jitter and jitter_ms belong together")
	case l.BurstLossPct > 0 && (l.BurstPackets < 1 || l.BurstLossPct >= l.badLossPct()):
		return fmt.Errorf("burst_loss_pct needs burst_packets from 1 on and a worse bad_loss_pct")
	case l.ReorderPct > 0 && l.ReorderMS == 0:
		return fmt.Errorf("reorder_pct needs reorder_ms")
	case l.RateKbps == 0 && (l.CrossKbps > 0 || l.Bulk || l.QueueMS > 0 || l.QueueBytes > 0):
		return fmt.Errorf("a queue needs rate_kbps")
	case l.Reject && len(l.Block) == 0:
		return fmt.Errorf("reject needs block")
	case l.MTU != 0 && l.MTU < 68: // RFC 791 §3.2
		return fmt.Errorf("mtu = %d is below 68", l.MTU)
	}
	_, err := newLane(l, rand.New(rand.NewPCG(1, 1)), 0)
	return err
}

func (l Line) badLossPct() float64 {
	if l.BadLossPct == 0 {
		return 100
	}
	return l.BadLossPct
}

// admit decides the fate of a packet that comes at nowNS: when its copies leave,
// or why there are none.
func (p *lane) admit(size int, nowNS int64) (outNS []int64, drop string) {
	if p.lost() {
		return nil, dropLoss
	}
	at, ok := p.throughQueue(size, nowNS)
	if !ok {
		return nil, dropQueue
	}
	at += ms(p.DelayMS)
	late, overtaken := p.variableDelay(at)
	at += late
	if p.hits(p.ReorderPct) {
		at, overtaken = at+ms(p.ReorderMS), true
	}
	if !overtaken {
		at = max(at, p.lastOutNS)
		p.lastOutNS = at
	}
	outNS = append(outNS, at)
	if p.hits(p.DuplicatePct) {
		outNS = append(outNS, at+int64(time.Millisecond))
	}
	return outNS, ""
}

func (p *lane) hits(pct float64) bool { return pct > 0 && p.rand.Float64()*100 < pct }

// lost draws from both kinds of loss. The bad state is entered with the
// probability that gives the wanted mean: loss = bad share × loss in it.
func (p *lane) lost() bool {
	burst := false
	if p.BurstLossPct > 0 {
		share := p.BurstLossPct / p.badLossPct()
		leave := 1 / p.BurstPackets
		change := share / (1 - share) * leave
		if p.bad {
			change = leave
		}
		if p.rand.Float64() < change {
			p.bad = !p.bad
		}
		burst = p.bad && p.hits(p.badLossPct())
	}
	return p.hits(p.LossPct) || burst
}

// throughQueue is when the bottleneck has sent the packet; not ok: queue full.
func (p *lane) throughQueue(size int, nowNS int64) (atNS int64, ok bool) {
	if p.RateKbps == 0 {
		return nowNS, true
	}
	p.crossTraffic(nowNS)
	start := max(nowNS, p.busyNS)
	if p.Bulk {
		fill, full := p.bulkFill(nowNS)
		if full && p.rand.IntN(4) == 0 {
			return 0, false // its own packet was the one that did not fit
		}
		start = max(start, nowNS+int64(fill*float64(p.queueNS())))
	}
	tx := p.transmitNS(size)
	if start-nowNS+tx > p.queueNS()+tx {
		return 0, false
	}
	if !p.Bulk {
		p.busyNS = start + tx
	}
	return start + tx, true
}

// bulkFill is how full one TCP keeps the queue: it grows for two seconds, meets
// the end, halves its window, and the queue drains as fast as the line allows.
func (p *lane) bulkFill(nowNS int64) (fill float64, full bool) {
	const rise = 2 * int64(time.Second)
	drain := p.queueNS()/2 + 1
	t := nowNS % (rise + drain)
	if t < rise {
		return 0.5 + 0.5*float64(t)/float64(rise), float64(t) > 0.985*float64(rise)
	}
	return 1 - 0.5*float64(t-rise)/float64(drain), false
}

// crossTraffic queues what others have sent up to now.
func (p *lane) crossTraffic(nowNS int64) {
	const size = 1500
	if p.CrossKbps == 0 {
		return
	}
	mean := size * 8 / p.CrossKbps * 1e6 // ns between packets
	for ; p.crossNS <= nowNS; p.crossNS += int64(p.rand.ExpFloat64() * mean) {
		start := max(p.crossNS, p.busyNS)
		if start-p.crossNS <= p.queueNS() {
			p.busyNS = start + p.transmitNS(size)
		}
	}
}

func (p *lane) transmitNS(size int) int64 { return int64(float64(size) * 8 / p.RateKbps * 1e6) }

// queueNS is how long the last packet of a full queue waits.
func (p *lane) queueNS() int64 {
	limit := math.Inf(1)
	if p.QueueMS > 0 {
		limit = p.QueueMS * 1e6
	}
	if p.QueueBytes > 0 {
		limit = min(limit, p.QueueBytes*8/p.RateKbps*1e6)
	}
	if math.IsInf(limit, 1) {
		limit = 100e6
	}
	return int64(limit)
}

// variableDelay is the jitter of a packet that would leave at atNS, and whether
// it may be out of order.
func (p *lane) variableDelay(atNS int64) (lateNS int64, overtaken bool) {
	size := p.JitterMS
	switch p.Jitter {
	case "uniform":
		return ms(p.rand.Float64() * size), p.Overtaking
	case "normal":
		return ms(min(max(size*(1+p.rand.NormFloat64()/2), 0), 2*size)), p.Overtaking
	case "spikes":
		if p.hits(p.SpikePct) {
			return ms(size), p.Overtaking
		}
	case "stalls":
		for atNS >= p.stallTo {
			p.nextStall()
		}
		if atNS >= p.stallFrom {
			return p.stallTo - atNS, false
		}
	case "grid":
		slot := ms(size)
		return (slot - atNS%slot) % slot, false
	}
	return 0, false
}

// nextStall draws the one after the last.
func (p *lane) nextStall() {
	p.stallFrom = p.stallTo + ms(p.rand.ExpFloat64()*p.StallEveryMS)
	p.stallTo = p.stallFrom + ms((0.5+p.rand.Float64())*p.JitterMS) + 1
}

func ms(v float64) int64 { return int64(v * 1e6) }
