package judge

import (
	"math"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/emodel"
	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Measurement contains the data of a finished stream.
type Measurement struct {
	Stream    Recording
	Log       wire.EchoLog // of the reflector
	LogErr    error        // why there is no usable log
	Path      string       // as report.MediaVoice.Path
	ICE, DTLS time.Duration
	Stopped   bool // the check was cancelled or its time was over
}

// silenceIsEnd is the time without echoes before the last packet after which the
// stream counts as interrupted. It is longer than any known handover between Wi-Fi
// access points.
const silenceIsEnd = 2 * time.Second

// longestAgoMS: a response of the reflector more than a minute ago says nothing
// about the end of the stream.
const longestAgoMS = 60_000

// Voice computes the figures of a measurement and determines its state.
func Voice(m Measurement) probe.Result {
	d := &report.MediaVoice{
		Path: m.Path, ICEMS: new(Milliseconds(m.ICE)), DTLSMS: new(Milliseconds(m.DTLS)),
		Sent: new(len(m.Stream.Sends)),
	}
	if void := fillSelfCheck(d, m.Stream); void {
		// Only figures that do not concern the line: the fault is in this computer.
		d.State = report.MediaSelfCheckVoid
		note := "this computer was too busy to keep its schedule"
		if m.Stream.Turned {
			note = "this computer slept, or its clock was set"
		}
		return probe.Result{Status: report.StatusUnknown, Note: note, Data: d}
	}
	if m.LogErr == nil {
		m.Stream.correctDepartures(m.Log)
	}
	up, down := m.directions()
	if m.LogErr == nil {
		d.Sent = new(up.sent)
		if ms := m.Log.AnsweredMS; ms != nil && *ms >= 0 && *ms <= longestAgoMS {
			d.ServerAnsweredS = new(float64(*ms) / 1000)
		}
	}
	fill(d, up, down, m.Stream)
	state, status, note := m.outcome()
	d.State = state
	return probe.Result{Status: status, Note: note, Data: d}
}

func (m Measurement) outcome() (report.MediaState, report.Status, string) {
	switch {
	case m.Stopped && !m.Stream.Complete:
		return report.MediaInterrupted, report.StatusUnknown, "stopped before the stream was over"
	case len(m.Stream.Echoes) == 0 && m.LogErr != nil:
		// Neither the reflector nor the collector responds: the fault may be theirs
		// as well as the line's.
		return report.MediaNotFlowing, report.StatusUnknown, "no echo arrived, and the collector gave no reason"
	case len(m.Stream.Echoes) == 0:
		return report.MediaNotFlowing, report.StatusFail, ""
	case m.brokeOff() && m.LogErr != nil:
		return report.MediaInterrupted, report.StatusUnknown, "the echo stopped, and the collector gave no reason"
	case m.brokeOff():
		return report.MediaInterrupted, report.StatusFail, ""
	}
	return report.MediaComplete, report.StatusOK, ""
}

func (m Measurement) brokeOff() bool {
	if !m.Stream.Complete {
		return true
	}
	last := m.Stream.Sends[len(m.Stream.Sends)-1].SentNS
	lastBack := m.Stream.Echoes[len(m.Stream.Echoes)-1].ArrivedNS
	return last-lastBack > int64(silenceIsEnd)
}

// fillSelfCheck sets the fields about this computer's own schedule. void is true if the
// schedule was missed so badly that the measurement says nothing about the line.
func fillSelfCheck(d *report.MediaVoice, s Recording) (void bool) {
	if s.Turned {
		d.SelfCheck = string(stats.VerdictVoid)
		return true
	}
	check := stats.CheckSchedule(s.Sends, s.Missed, stats.DefaultScheduleLimits())
	if check == nil {
		return false
	}
	d.SelfCheck = string(check.Verdict)
	d.SendLatenessP95MS = new(round(check.P95LateMS))
	return check.Verdict == stats.VerdictVoid
}

// direction contains the data of one direction of the stream.
type direction struct {
	sent    int
	packets []stats.Packet
	// loss is set if it cannot be derived from the packets.
	loss *stats.Loss
	// sampled means that more packets arrived than are known, so the intervals
	// between the known ones are not those of the line.
	sampled bool
}

// directions separates upstream and downstream, by the reflector's log or, without
// it, by the echoes.
func (m Measurement) directions() (up, down direction) {
	if m.LogErr != nil {
		return upFromEchoes(m.Stream), downOf(m.Stream, highestDown(m.Stream.Echoes)+1)
	}
	settled := m.settled()
	return upFromLog(m.Stream, m.Log, settled), downOf(m.Stream, downSent(m.Log, settled))
}

// settled returns the number of packets whose echo had time to return. If the wait
// ended earlier, because the line is slow or the check was cancelled, the youngest
// packets are in flight and not lost.
func (m Measurement) settled() int {
	s := m.Stream
	if s.AllBack {
		return len(s.Sends)
	}
	needed := int64(settling(s.Echoes))
	n := len(s.Sends)
	for n > 0 && s.Sends[n-1].SentNS+needed > s.WaitedNS {
		n--
	}
	return n
}

func upFromLog(s Recording, log wire.EchoLog, settled int) direction {
	d := direction{sent: settled}
	for _, a := range log.All() {
		if int64(a.Seq) < int64(len(s.Sends)) {
			d.packets = append(d.packets, stats.Packet{Seq: a.Seq, SentNS: s.Sends[a.Seq].SentNS, ArrivedNS: a.ArrivedNS})
		}
	}
	return d
}

// downSent returns the number of downstream packets that the reflector sent in
// answer to settled packets.
func downSent(log wire.EchoLog, settled int) int {
	if log.DownFailed == 0 && log.Unlisted == 0 {
		for i, a := range log.All() { // arrival i was answered by downstream packet i
			if int64(a.Seq) >= int64(settled) {
				return i
			}
		}
	}
	return log.DownSent
}

// upFromEchoes derives the upstream direction from the echoes. They contain the
// upstream delays of the packets that they answer; the latest one contains the
// number of packets that had arrived by then.
func upFromEchoes(s Recording) direction {
	var d direction
	if len(s.Echoes) == 0 {
		return d
	}
	latest := s.Echoes[0]
	for _, e := range s.Echoes {
		if e.Seq > latest.Seq {
			latest = e
		}
		d.sent = max(d.sent, int(e.UpSeq)+1)
		d.packets = append(d.packets, stats.Packet{Seq: e.UpSeq, SentNS: s.Sends[e.UpSeq].SentNS, ArrivedNS: e.UpArrivedNS})
	}
	received := min(int(latest.UpUnique), d.sent)
	d.sampled = received > len(d.packets)
	lost := d.sent - received
	d.loss = &stats.Loss{
		Sent: d.sent, Received: received, Lost: lost,
		Pct: 100 * float64(lost) / float64(d.sent), CI95: stats.Wilson95(lost, d.sent),
	}
	return d
}

func highestDown(echoes []Receipt) int {
	highest := -1
	for _, e := range echoes {
		highest = max(highest, int(e.Seq))
	}
	return highest
}

func downOf(s Recording, sent int) direction {
	d := direction{sent: sent}
	for _, e := range s.Echoes {
		d.packets = append(d.packets, stats.Packet{Seq: e.Seq, SentNS: e.SentNS, ArrivedNS: e.ArrivedNS})
	}
	return d
}

func (d direction) summary() stats.Summary {
	s := stats.Summarise(stats.Direction{
		Sent: d.sent, IntervalNS: int64(wire.PacketInterval), Packets: d.packets,
	})
	if d.loss != nil {
		s.Loss = d.loss
	}
	if d.sampled {
		s.Slowed, s.Jitter = nil, nil
	}
	return s
}

// longestLossMS returns the longest run of lost packets, in ms of speech.
func (d direction) longestLossMS() float64 {
	return float64(d.lossRuns().Longest) * Milliseconds(wire.PacketInterval)
}

// lossRunPackets returns the mean length of the runs of lost packets; nil if none
// was lost, or if it is unknown which ones were.
func (d direction) lossRunPackets() *float64 {
	if d.loss != nil || d.sampled {
		return nil
	}
	runs := d.lossRuns()
	if runs.Runs == 0 {
		return nil
	}
	return new(round(float64(runs.Lost) / float64(runs.Runs)))
}

func (d direction) lossRuns() stats.LossRuns {
	a := stats.Sort(d.packets, 0, d.sent)
	return stats.LossRunsOf(stats.FatesOf(a, make([]float64, len(a.First)), math.Inf(1)))
}

// fill sets the fields of both directions.
func fill(r *report.MediaVoice, up, down direction, s Recording) {
	u, d := up.summary(), down.summary()
	if u.Loss != nil {
		r.UpReceived, r.UpLossPct, r.UpLossCI95 = lossFields(u.Loss)
	}
	if d.Loss != nil {
		r.DownSent = new(d.Loss.Sent)
		r.DownReceived, r.DownLossPct, r.DownLossCI95 = lossFields(d.Loss)
	}
	r.UpLossRunPackets, r.DownLossRunPackets = up.lossRunPackets(), down.lossRunPackets()
	if u.Jitter != nil {
		r.UpJitterMS, r.UpJitterMaxMS = new(round(u.Jitter.MeanAbsDMS)), new(round(u.Jitter.MaxMS))
	}
	if d.Jitter != nil {
		r.DownJitterMS, r.DownJitterMaxMS = new(round(d.Jitter.MeanAbsDMS)), new(round(d.Jitter.MaxMS))
	}
	if p := u.PDVMS; p != nil {
		r.UpPDVP50MS, r.UpPDVP95MS, r.UpPDVP99MS = new(round(p.P50)), new(round(p.P95)), new(round(p.P99))
	}
	if p := d.PDVMS; p != nil {
		r.DownPDVP50MS, r.DownPDVP95MS, r.DownPDVP99MS = new(round(p.P50)), new(round(p.P95)), new(round(p.P99))
	}
	if i := u.IPDVMS; i != nil {
		r.UpIPDVP5MS, r.UpIPDVP50MS, r.UpIPDVP95MS = new(round(i.P5)), new(round(i.P50)), new(round(i.P95))
	}
	if i := d.IPDVMS; i != nil {
		r.DownIPDVP5MS, r.DownIPDVP50MS, r.DownIPDVP95MS = new(round(i.P5)), new(round(i.P50)), new(round(i.P95))
	}
	r.UpQueueMS, r.UpRateKbps = rounded(u.QueueMS), rateKbps(u, s.Payload)
	r.DownQueueMS, r.DownRateKbps = rounded(d.QueueMS), rateKbps(d, s.Payload)
	fillBoth(r, up, down, u, d)
	rtt := roundTrips(s, up.sent)
	if rtt != nil {
		r.RTTMinMS, r.RTTP50MS = new(round(rtt.Min)), new(round(rtt.P50))
		r.RTTP95MS, r.RTTP99MS = new(round(rtt.P95)), new(round(rtt.P99))
		fillScore(r, rtt.P50, u, d)
	}
}

func lossFields(l *stats.Loss) (received *int, pct *float64, ci *report.Interval) {
	return new(l.Received), new(round(l.Pct)), &report.Interval{round(l.CI95.LowPct), round(l.CI95.HighPct)}
}

// rateKbps returns the rate at which the line carried a stream that it slowed down.
func rateKbps(s stats.Summary, payload int) *float64 {
	if s.Slowed == nil {
		return nil
	}
	bits := float64(8 * (payload + overheadBytes))
	return new(round(bits / *s.Slowed * 1e6)) // bits per ns times 10^6 are kbit/s
}

func rounded(v *float64) *float64 {
	if v == nil {
		return nil
	}
	return new(round(*v))
}

// overheadBytes are the headers of IPv4, UDP and RTP, and the authentication tag of
// SRTP (AEAD, RFC 7714).
const overheadBytes = 20 + 8 + 12 + 16

// fillBoth sets the fields that apply to both directions together: sums, or the
// worse value. It needs both directions; otherwise an unmeasured one would be
// reported as good.
func fillBoth(r *report.MediaVoice, up, down direction, u, d stats.Summary) {
	if u.Reordering == nil || d.Reordering == nil {
		return
	}
	r.Reordered = new(u.Reordering.Reordered + d.Reordering.Reordered)
	r.Duplicates = new(u.Duplicates + d.Duplicates)
	r.BurstDensityPct = new(round(100 * max(u.Bursts.BurstDensity(), d.Bursts.BurstDensity())))
	r.GapDensityPct = new(round(100 * max(u.Bursts.GapDensity(), d.Bursts.GapDensity())))
	const interval = float64(wire.PacketInterval) / 1e6
	r.BurstMS = new(round(interval * max(u.Bursts.MeanBurstPackets(), d.Bursts.MeanBurstPackets())))
	r.GapMS = new(round(interval * min(u.Bursts.MeanGapPackets(), d.Bursts.MeanGapPackets())))
	r.LongestGapMS = new(max(up.longestLossMS(), down.longestLossMS()))
	for bufferMS, field := range map[float64]**float64{
		20: &r.LatePct20MS, 40: &r.LatePct40MS, 60: &r.LatePct60MS, 100: &r.LatePct100MS, 200: &r.LatePct200MS,
	} {
		if a, b := u.LatePct(bufferMS), d.LatePct(bufferMS); a != nil && b != nil {
			*field = new(round(max(*a, *b)))
		}
	}
	for _, b := range []*float64{u.BurstR, d.BurstR} {
		if b != nil && (r.BurstRatio == nil || *b > *r.BurstRatio) {
			r.BurstRatio = new(round(*b))
		}
	}
}

// roundTrips returns the round trips of the first sent packets, whose echoes had
// time to return. Of the younger ones only the fast echoes are known.
func roundTrips(s Recording, sent int) *stats.RoundTrips {
	var echoes []stats.Echo
	for _, e := range s.Echoes {
		if int64(e.UpSeq) < int64(sent) {
			echoes = append(echoes, stats.Echo{
				UpSeq: e.UpSeq, SentNS: s.Sends[e.UpSeq].SentNS, ReturnedNS: e.ArrivedNS, TurnaroundNS: e.TurnaroundNS(),
			})
		}
	}
	return stats.RoundTripsOf(echoes)
}

// fillScore sets the score of the worse direction.
func fillScore(r *report.MediaVoice, rttMS float64, u, d stats.Summary) {
	var worst *emodel.Score
	for _, s := range []stats.Summary{u, d} {
		score, err := emodel.RateVoice(emodel.Voice{
			RTTMS: rttMS, PlayoutMS: s.PlayoutMS, LossPct: notPlayedPct(s), BurstR: s.BurstR,
		})
		if err != nil {
			return
		}
		if worst == nil || score.R < worst.R {
			worst = &score
		}
	}
	r.RFactor, r.MOS = new(round(worst.R)), new(round(worst.MOS))
	r.MOSModel = worst.Model + ", " + worst.Codec
}

// notPlayedPct returns the share of packets that a listener does not hear: lost, or
// too late for the playout buffer.
func notPlayedPct(s stats.Summary) float64 {
	for _, l := range s.Late {
		if l.BufferMS == s.PlayoutMS {
			return l.TotalPct
		}
	}
	return 100
}

// Milliseconds returns d in ms, rounded to 1/1000.
func Milliseconds(d time.Duration) float64 { return round(float64(d) / 1e6) }

// round rounds to 1/1000: further digits are noise and make reports longer.
func round(v float64) float64 { return math.Round(v*1000) / 1000 }
