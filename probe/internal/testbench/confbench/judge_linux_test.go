package confbench

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/netbench"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Tolerances between measured values and the truth of the line.
const (
	jitterToleranceMS  = 0.3
	jitterTolerancePct = 5
	rttToleranceMS     = 1
	// codecMS is the look-ahead of the encoder in the simulated BigBlueButton, which the
	// line does not show.
	codecMS = 6.4
	// mirroredMS is less than the interval of packets: a server that returns them at once
	// holds most of them for a shorter time.
	mirroredMS = 15
	longestMS  = 1000 // the longest time for which a server holds a packet
	// echoStamp is the difference of the timestamps of the simulated BigBlueButton's echo.
	echoStamp = 3_000_000
)

// outcome is one check compared with its scenario and what happened on the line.
type outcome struct {
	scenario scenario
	check    netbench.Check
	err      error
	busyPct  float64

	found, area     string
	others, remarks []string
	figures         []comparison
	addsMS          float64 // median time that the server held the packets
}

// comparison is one figure compared with the truth.
type comparison struct {
	what           string
	measured, true float64
	note           string
	ok             bool
}

func (c comparison) String() string {
	return fmt.Sprintf("%s: measured %.2f, truth %.2f, %s", c.what, c.measured, c.true, c.note)
}

func judge(s scenario, c netbench.Check, err error) outcome {
	o := outcome{scenario: s, check: c, err: err, addsMS: math.NaN()}
	if err != nil {
		return o
	}
	o.found = healthy
	for _, cause := range c.Report.Causes {
		switch {
		case cause.Severity == report.SeverityInfo:
			o.remarks = append(o.remarks, cause.Code)
			if slices.Contains(s.expect, cause.Code) && s.remark {
				o.area = string(cause.Area)
			}
		case cause.Primary:
			o.found, o.area = cause.Code, string(cause.Area)
		default:
			o.others = append(o.others, cause.Code)
		}
	}
	o.compare()
	return o
}

// right reports whether the primary cause, and its area, are the expected ones.
func (o outcome) right() bool {
	if o.err != nil || o.scenario.area != "" && o.area != string(o.scenario.area) {
		return false
	}
	if o.scenario.remark {
		return o.found == healthy && slices.ContainsFunc(o.remarks, func(code string) bool { return slices.Contains(o.scenario.expect, code) })
	}
	return slices.Contains(o.scenario.expect, o.found) && (o.found != healthy || len(o.others) == 0)
}

func (s scenario) isHealthy() bool { return len(s.expect) == 1 && s.expect[0] == healthy }

// conference returns the part of the report about the conference system; nil if there is
// none.
func (o outcome) conference() *report.Conference {
	if o.check.Report == nil {
		return nil
	}
	for _, p := range o.check.Report.Probes {
		if c, ok := p.Data.(*report.Conference); ok {
			return c
		}
	}
	return nil
}

// stream returns the packets of the voice in a direction: the largest stream to or from a
// port other than the collector's echo.
func (o outcome) stream(d netbench.Direction) (stream netbench.Truth) {
	count := map[uint32]int{}
	ofConference := func(p netbench.Passage) bool {
		far := p.To
		if d == netbench.Down {
			far = p.From
		}
		return p.RTP && p.Direction == d && far.Port() != 3480 && far.Port() != 3478
	}
	for _, p := range o.check.Truth {
		if ofConference(p) {
			count[p.SSRC]++
		}
	}
	most := uint32(0)
	for ssrc, n := range count {
		if n > count[most] || n == count[most] && ssrc < most {
			most = ssrc
		}
	}
	for _, p := range o.check.Truth {
		if ofConference(p) && p.SSRC == most {
			stream = append(stream, p)
		}
	}
	return stream
}

// compare compares the figures with what happened on the line.
func (o *outcome) compare() {
	c := o.conference()
	if c != nil && c.Media != nil && c.Media.State == report.MediaSelfCheckVoid {
		return // the check has found this computer too busy to measure
	}
	if o.scenario.of == "" || c == nil || c.Media == nil || c.Media.State != report.MediaComplete || !strings.HasSuffix(c.Media.Path, "udp") || strings.HasPrefix(c.Media.Path, "relay") {
		if o.scenario.of != "" {
			o.figures = append(o.figures, comparison{"stream", math.NaN(), math.NaN(), "no stream over UDP", false})
		}
		return
	}
	m := c.Media
	up, down := o.stream(netbench.Up), o.stream(netbench.Down)
	if m.Sent != nil && len(up) > *m.Sent { // the packets before the stream
		up = up[len(up)-*m.Sent:]
	}
	if o.scenario.of == ofJanus || o.scenario.of == ofLiveKit {
		down = returnedOf(up, down)
	}
	o.add(lossFigure("up loss", m.UpLossPct, m.UpLossCI95, up.Figures().LossPct))
	o.add(lossFigure("down loss", m.DownLossPct, m.DownLossCI95, down.Figures().LossPct))
	trips, holds := o.returned(up, down)
	o.addsMS = median(holds)
	switch o.scenario.of {
	case ofWHIP:
		o.add(jitterFigure("up jitter", m.UpJitterMS, up.Figures().MeanAbsDMS))
		o.add(jitterFigure("down jitter", m.DownJitterMS, down.Figures().MeanAbsDMS))
		// The reflector's own time is subtracted from its round trips.
		o.add(rttFigure(m.RTTP50MS, netbench.RoundTripP50MS(up, down, len(up))))
		o.addsMS = 0
	case ofBBB:
		o.add(jitterFigure("up jitter", m.UpJitterMS, smoothed(up, m)))
		o.add(jitterFigure("down jitter", m.DownJitterMS, arrivalJitter(down)))
		o.add(rttFigure(m.RTTP50MS, median(trips)+codecMS))
		o.addsMS += codecMS
	default:
		// One figure for both ways together.
		o.add(jitterFigure("jitter", m.DownJitterMS, varies(trips)))
		o.add(rttFigure(m.RTTP50MS, median(trips)))
	}
}

func (o *outcome) add(c comparison) { o.figures = append(o.figures, c) }

func lossFigure(what string, pct *float64, ci *report.Interval, truth float64) comparison {
	if pct == nil || ci == nil {
		return comparison{what, math.NaN(), truth, "not reported", false}
	}
	const rounding = 0.01
	return comparison{what, *pct, truth, fmt.Sprintf("interval %.2f to %.2f", ci[0], ci[1]), truth >= ci[0]-rounding && truth <= ci[1]+rounding}
}

func jitterFigure(what string, got *float64, truth float64) comparison {
	if got == nil {
		return comparison{what, math.NaN(), truth, "not reported", false}
	}
	tolerance := max(jitterToleranceMS, truth*jitterTolerancePct/100)
	return comparison{what, *got, truth, fmt.Sprintf("may differ by %.2f ms", tolerance), math.Abs(*got-truth) <= tolerance}
}

func rttFigure(got *float64, truth float64) comparison {
	if got == nil {
		return comparison{"RTT", math.NaN(), truth, "not reported", false}
	}
	return comparison{"RTT", *got, truth, fmt.Sprintf("may differ by %d ms", rttToleranceMS), math.Abs(*got-truth) <= rttToleranceMS}
}

// returned pairs the packets of both directions of a server that returns them with a
// constant difference of their timestamps, and returns the round trips on the line in
// order of arrival, and the times that the server held the packets, in ms.
func (o *outcome) returned(up, down netbench.Truth) (trips, holds []float64) {
	byStamp := map[uint32]netbench.Passage{}
	for _, p := range up {
		if len(p.OutNS) > 0 {
			byStamp[p.Stamp] = p
		}
	}
	difference := uint32(echoStamp)
	if o.scenario.of != ofBBB {
		difference = likeliest(byStamp, down)
	}
	type trip struct{ atNS, ns int64 }
	var all []trip
	for _, d := range down {
		u, ok := byStamp[d.Stamp-difference]
		held := d.InNS - first(u)
		if !ok || held < 0 || held > longestMS*1e6 {
			continue
		}
		holds = append(holds, float64(held)/1e6)
		if len(d.OutNS) > 0 {
			all = append(all, trip{d.OutNS[0], d.OutNS[0] - u.InNS})
		}
	}
	slices.SortStableFunc(all, func(a, b trip) int { return int(a.atNS - b.atNS) })
	for _, t := range all {
		trips = append(trips, float64(t.ns)/1e6)
	}
	return trips, holds
}

func first(p netbench.Passage) int64 {
	if len(p.OutNS) == 0 {
		return 0
	}
	return p.OutNS[0]
}

// returnedOf returns the packets of a server that returns them unchanged, each once:
// without those before the stream, and without the silence that LiveKit sends when a
// stream ends, whose first packet has the timestamp of the last one of the stream.
func returnedOf(up, down netbench.Truth) (returned netbench.Truth) {
	sent := map[uint32]bool{}
	byStamp := map[uint32]netbench.Passage{}
	for _, p := range up {
		sent[p.Stamp] = true
		if len(p.OutNS) > 0 {
			byStamp[p.Stamp] = p
		}
	}
	difference := likeliest(byStamp, down)
	first := slices.Clone(down)
	slices.SortStableFunc(first, func(a, b netbench.Passage) int { return int(a.InNS - b.InNS) })
	for _, d := range first {
		stamp := d.Stamp - difference
		if sent[stamp] {
			delete(sent, stamp)
			returned = append(returned, d)
		}
	}
	return returned
}

// likeliest returns the difference of timestamps under which most packets were returned
// within mirroredMS.
func likeliest(up map[uint32]netbench.Passage, down netbench.Truth) (best uint32) {
	most := 0
	tried := map[uint32]bool{}
	for _, d := range down {
		for _, u := range up {
			difference := d.Stamp - u.Stamp
			if tried[difference] || !returnedSoon(u, d) {
				continue
			}
			tried[difference] = true
			n := 0
			for _, d := range down {
				if u, ok := up[d.Stamp-difference]; ok && returnedSoon(u, d) {
					n++
				}
			}
			if n > most {
				best, most = difference, n
			}
		}
	}
	return best
}

func returnedSoon(up, down netbench.Passage) bool {
	held := down.InNS - first(up)
	return held >= 0 && held < mirroredMS*1e6
}

// varies returns the mean difference of consecutive values.
func varies(trips []float64) float64 {
	sum := 0.0
	for i := 1; i < len(trips); i++ {
		sum += math.Abs(trips[i] - trips[i-1])
	}
	return sum / float64(max(1, len(trips)-1))
}

// transits returns the relative transit times by the timestamps of a stream, in ms, in
// order of arrival.
func transits(stream netbench.Truth) (all []float64) {
	var arrived netbench.Truth
	for _, p := range stream {
		if len(p.OutNS) > 0 {
			arrived = append(arrived, p)
		}
	}
	slices.SortStableFunc(arrived, func(a, b netbench.Passage) int { return int(a.OutNS[0] - b.OutNS[0]) })
	for _, p := range arrived {
		all = append(all, float64(p.OutNS[0]-arrived[0].OutNS[0])/1e6-float64(int32(p.Stamp-arrived[0].Stamp))/48)
	}
	return all
}

func arrivalJitter(stream netbench.Truth) float64 { return varies(transits(stream)) }

// smoothed returns J of RFC 3550 §6.4.1 after the last packet that the server's report
// covers, according to UpReceived.
func smoothed(stream netbench.Truth, m *report.MediaVoice) (jitter float64) {
	all := transits(stream)
	if m.UpReceived != nil {
		all = all[:min(len(all), *m.UpReceived)]
	}
	for i := 1; i < len(all); i++ {
		jitter += (math.Abs(all[i]-all[i-1]) - jitter) / 16
	}
	return jitter
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// why explains a wrong result.
func (o outcome) why() string {
	if o.err != nil {
		return o.err.Error()
	}
	var parts []string
	if len(o.others) > 0 {
		parts = append(parts, "also "+strings.Join(o.others, ", "))
	}
	if !o.right() {
		parts = append(parts, "area "+o.area, "remarks "+strings.Join(o.remarks, ", "))
		if c := o.conference(); c != nil {
			parts = append(parts, strings.TrimSpace("failed at "+c.FailedStep+" "+c.FailedCode))
		}
	}
	for _, c := range o.figures {
		if !c.ok {
			parts = append(parts, c.String())
		}
	}
	return strings.ReplaceAll(strings.Join(parts, "; "), "|", "/")
}
