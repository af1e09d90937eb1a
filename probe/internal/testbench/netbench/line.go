package netbench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Line describes what one direction of one segment does to packets. The zero value
// passes all packets without delay.
//
// The order is that of a real line: filter, MTU, loss on the medium, the queue
// before the bottleneck, delay, duplication.
type Line struct {
	// DelayMS is added to every packet.
	DelayMS float64 `toml:"delay_ms"`

	// Jitter is the distribution of the additional delay, JitterMS its size:
	//	uniform  0 to JitterMS
	//	normal   mean JitterMS, deviation half of it, limited to 0 and twice the mean
	//	spikes   SpikePct percent of the packets are delayed by JitterMS
	//	stalls   every StallEveryMS on average nothing passes for half to one and a
	//	         half times JitterMS; then the waiting packets pass at once (Wi-Fi, LTE)
	//	grid     packets wait for the next multiple of JitterMS (slots of LTE, DOCSIS)
	Jitter       string  `toml:"jitter"`
	JitterMS     float64 `toml:"jitter_ms"`
	SpikePct     float64 `toml:"spike_pct"`
	StallEveryMS float64 `toml:"stall_every_ms"`
	// Overtaking permits packets with a shorter additional delay to overtake others.
	Overtaking bool `toml:"overtaking"`

	// LossPct is independent loss.
	LossPct float64 `toml:"loss_pct"`
	// BurstLossPct is the mean loss of a Gilbert-Elliott channel that loses all
	// packets in its bad state, BurstPackets the mean length of that state in
	// packets.
	BurstLossPct float64 `toml:"burst_loss_pct"`
	BurstPackets float64 `toml:"burst_packets"`
	// BadLossPct is the loss in the bad state if it is not 100 %.
	BadLossPct float64 `toml:"bad_loss_pct"`

	// ReorderPct is the percentage of packets that are delayed by ReorderMS and
	// overtaken.
	ReorderPct float64 `toml:"reorder_pct"`
	ReorderMS  float64 `toml:"reorder_ms"`
	// DuplicatePct is the percentage of packets that arrive twice, the second time
	// 1 ms later.
	DuplicatePct float64 `toml:"duplicate_pct"`

	// RateKbps is the rate of the bottleneck; 0 means none. Its drop-tail queue
	// holds at most QueueMS or QueueBytes, whichever is smaller (100 ms if neither
	// is given).
	RateKbps   float64 `toml:"rate_kbps"`
	QueueMS    float64 `toml:"queue_ms"`
	QueueBytes float64 `toml:"queue_bytes"`
	// CrossKbps is other traffic through the same bottleneck: packets of 1500 bytes
	// at random times.
	CrossKbps float64 `toml:"cross_kbps"`
	// Bulk is one long TCP transfer of the same household, which keeps the queue
	// between half full and full.
	Bulk bool `toml:"bulk"`

	// MTU in bytes; 0 means none. Larger packets with DF are dropped, with an ICMP
	// "fragmentation needed" unless MTUSilent is set (a black hole).
	MTU       int  `toml:"mtu"`
	MTUSilent bool `toml:"mtu_silent"`

	// Block drops the listed packets except those in Allow: "all", "ipv6", "udp",
	// "tcp", "icmp", "udp/3478", "tcp/1024-65535". The port is the server's.
	Block []string `toml:"block"`
	Allow []string `toml:"allow"`
	// Reject responds to packets dropped by Block with an ICMP "administratively
	// prohibited" (RFC 1812 §5.2.7.1) of the router at the beginning of the
	// segment.
	Reject bool `toml:"reject"`
}

// Reasons for a drop, as in the truth.
const (
	dropBlocked = "blocked"
	dropMTU     = "mtu"
	dropLoss    = "loss"
	dropQueue   = "queue"
)

// lane is a running Line. Times are nanoseconds since the link began.
type lane struct {
	Line
	rand  *rand.Rand
	block filter
	allow filter

	bad       bool  // of the Gilbert-Elliott channel
	busyNS    int64 // when the bottleneck will have sent everything that is queued
	crossNS   int64 // time of the next packet of CrossKbps
	lastOutNS int64
	stallFrom int64
	stallTo   int64
}

// newLane returns an error for an invalid filter.
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

// validate returns an error for invalid values.
func (l Line) validate() error {
	for what, pct := range map[string]float64{
		"loss_pct": l.LossPct, "burst_loss_pct": l.BurstLossPct, "bad_loss_pct": l.BadLossPct,
		"reorder_pct": l.ReorderPct, "duplicate_pct": l.DuplicatePct, "spike_pct": l.SpikePct,
	} {
		if !(pct >= 0 && pct <= 100) {
			return fmt.Errorf("%s = %v is not a percentage", what, pct)
		}
	}
	for what, v := range map[string]float64{
		"delay_ms": l.DelayMS, "jitter_ms": l.JitterMS, "reorder_ms": l.ReorderMS, "rate_kbps": l.RateKbps,
		"queue_ms": l.QueueMS, "queue_bytes": l.QueueBytes, "cross_kbps": l.CrossKbps, "stall_every_ms": l.StallEveryMS,
	} {
		// Tiny rates and times would keep the link busy.
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

// admit determines the fate of a packet that arrives at nowNS: the departure times
// of its copies, or the reason why it is dropped.
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

// lost draws from both kinds of loss. The probability of entering the bad state is
// chosen such that the mean is BurstLossPct: loss = share of the bad state × loss
// in it.
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

// throughQueue returns when the bottleneck has sent the packet; ok is false if the
// queue is full.
func (p *lane) throughQueue(size int, nowNS int64) (atNS int64, ok bool) {
	if p.RateKbps == 0 {
		return nowNS, true
	}
	p.crossTraffic(nowNS)
	start := max(nowNS, p.busyNS)
	if p.Bulk {
		fill, full := p.bulkFill(nowNS)
		if full && p.rand.IntN(4) == 0 {
			return 0, false // the transfer's packet did not fit either
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

// bulkFill returns how full a TCP transfer keeps the queue: it fills for two
// seconds, overflows, the window is halved, and the queue drains at the rate of the
// line.
func (p *lane) bulkFill(nowNS int64) (fill float64, full bool) {
	const rise = 2 * int64(time.Second)
	drain := p.queueNS()/2 + 1
	t := nowNS % (rise + drain)
	if t < rise {
		return 0.5 + 0.5*float64(t)/float64(rise), float64(t) > 0.985*float64(rise)
	}
	return 1 - 0.5*float64(t-rise)/float64(drain), false
}

// crossTraffic queues the other traffic up to now.
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

// queueNS returns the waiting time of the last packet of a full queue.
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

// variableDelay returns the additional delay of a packet that would depart at atNS,
// and whether it may be overtaken.
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

// nextStall draws the next stall.
func (p *lane) nextStall() {
	p.stallFrom = p.stallTo + ms(p.rand.ExpFloat64()*p.StallEveryMS)
	p.stallTo = p.stallFrom + ms((0.5+p.rand.Float64())*p.JitterMS) + 1
}

func ms(v float64) int64 { return int64(v * 1e6) }
