package netbench

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Tolerances between measured values and the truth of the link.
const (
	jitterToleranceMS  = 0.3
	jitterTolerancePct = 5
	rttToleranceMS     = 0.3
)

// Limits of the duration, traffic and CPU time of a check, without media.load, which
// fills the line on purpose.
const (
	maxSeconds = 12
	maxKbps    = 150
	maxCPUPct  = 10
)

// outcome is one check compared with its scenario and its truth.
type outcome struct {
	scenario Scenario
	check    Check
	err      error
	repeats  int
	busyPct  float64 // load of the machine before the check

	found   string // primary cause, Healthy, or "unknown"
	others  []string
	remarks []string // causes of severity info
	figures []comparison
}

// comparison is one figure compared with the truth.
type comparison struct {
	what           string // such as "up jitter"
	measured, true float64
	note           string // interval or tolerance
	ok             bool
}

func (c comparison) String() string {
	return fmt.Sprintf("%s: measured %.3f, truth %.3f, %s", c.what, c.measured, c.true, c.note)
}

func judge(s Scenario, c Check, err error) outcome {
	o := outcome{scenario: s, check: c, err: err}
	if err != nil {
		return o
	}
	o.found = "unknown"
	if c.Report.Verdict == report.Ready {
		o.found = Healthy
	}
	for _, cause := range c.Report.Causes {
		switch {
		case cause.Primary && cause.Severity != report.SeverityInfo:
			o.found = cause.Code
		case cause.Severity != report.SeverityInfo:
			o.others = append(o.others, cause.Code)
		default:
			o.remarks = append(o.remarks, cause.Code)
		}
	}
	o.figures = compare(c)
	return o
}

// right reports whether the primary cause is the expected one, or another name of
// the same fault; a healthy line must have none. If the voice is not disturbed, the
// cause must be reported without a warning.
func (o outcome) right() bool {
	switch {
	case o.err != nil:
		return false
	case o.scenario.Expect == Healthy:
		return o.found == Healthy && len(o.others) == 0
	case o.scenario.Remark:
		return o.found == Healthy && len(o.others) == 0 && slices.Contains(o.remarks, o.scenario.Expect)
	}
	return o.found == o.scenario.Expect || slices.Contains(o.scenario.Also, o.found)
}

// clean reports whether there is neither a warning nor a failure, as required for
// healthy lines. "Unknown" is allowed.
func (o outcome) clean() bool {
	return o.err == nil && len(o.others) == 0 && (o.found == Healthy || o.found == "unknown")
}

// void reports whether the check itself found this computer too busy to measure.
// Such a check is repeated.
func (o outcome) void() bool {
	if o.err != nil {
		return false
	}
	r, _ := o.check.Report.Probe(report.ProbeMediaVoice)
	v, ok := r.Data.(*report.MediaVoice)
	return ok && (v.State == report.MediaSelfCheckVoid || v.SelfCheck == "void")
}

// missing reports whether the product is known not to detect the scenario.
func (o outcome) missing() bool { return !o.right() && o.scenario.Needs != "" }

// isMet reports whether the product now has what the scenario file lists under
// needs; then the file must be updated.
func (o outcome) isMet() bool { return o.right() && o.scenario.Needs != "" }

func (o outcome) offFigures() (off []comparison) {
	for _, c := range o.figures {
		if !c.ok {
			off = append(off, c)
		}
	}
	return off
}

// why explains a wrong result in the matrix.
func (o outcome) why() string {
	var parts []string
	if o.err != nil {
		parts = append(parts, o.err.Error())
	}
	if o.missing() {
		parts = append(parts, "lacks: "+o.scenario.Needs)
	}
	if o.isMet() {
		parts = append(parts, "found although needs is set: drop it from the file")
	}
	if len(o.others) > 0 {
		parts = append(parts, "also "+strings.Join(o.others, ", "))
	}
	if o.scenario.Remark || o.err == nil && !o.right() && len(o.remarks) > 0 {
		parts = append(parts, "remarks "+strings.Join(o.remarks, ", "))
	}
	for _, c := range o.offFigures() {
		parts = append(parts, c.String())
	}
	if !o.right() && o.err == nil {
		parts = append(parts, o.said()...)
	}
	return strings.Join(parts, "; ")
}

// said returns the notes of probes without a good result.
func (o outcome) said() (parts []string) {
	for _, r := range o.check.Report.Probes {
		if r.Error != "" && r.Status != report.StatusSkipped {
			parts = append(parts, r.Name+" "+string(r.Status)+": "+r.Error)
		}
	}
	return parts
}

// compare compares the figures of the voice stream with the link's. There are none
// for a stream that did not run, ran over TCP, or was void.
func compare(c Check) (all []comparison) {
	r, ok := c.Report.Probe(report.ProbeMediaVoice)
	v, isVoice := r.Data.(*report.MediaVoice)
	// Packets that the participant's own system refused never reached the link.
	wholeHome := c.Scenario.Home.DownAtS == 0
	if ok && isVoice && wholeHome && v.State == report.MediaComplete && strings.HasSuffix(v.Path, "udp") {
		all = voiceFigures(v, c.Truth.RTP(Up), c.Truth.RTP(Down))
	}
	return append(all, natFigures(c)...)
}

// samePackets removes the packets that the probe excludes because they were in
// flight when it stopped waiting. Both number their packets from 0, and the report
// contains the number of packets it evaluated.
func samePackets(stream Truth, judged *int) Truth {
	if judged == nil {
		return stream
	}
	return stream.where(func(p *Passage) bool { return int(p.Seq) < *judged })
}

func voiceFigures(v *report.MediaVoice, upStream, downStream Truth) (all []comparison) {
	up, down := samePackets(upStream, v.Sent).Figures(), samePackets(downStream, v.DownSent).Figures()
	all = append(all, lossFigure("up loss", v.UpLossPct, v.UpLossCI95, up), lossFigure("down loss", v.DownLossPct, v.DownLossCI95, down))
	if v.SelfCheck == "void" {
		return all
	}
	all = append(all, jitterFigure("up jitter", v.UpJitterMS, up), jitterFigure("down jitter", v.DownJitterMS, down))
	// The delay within a relay is part of the round trip, but it arises inside the server,
	// so the link does not record it.
	if v.RTTP50MS != nil && !strings.HasPrefix(v.Path, "relay") {
		judged := len(upStream)
		if v.Sent != nil {
			judged = *v.Sent
		}
		want := RoundTripP50MS(upStream, downStream, judged)
		all = append(all, comparison{
			"RTT p50", *v.RTTP50MS, want, fmt.Sprintf("may differ by %.1f ms", rttToleranceMS),
			math.Abs(*v.RTTP50MS-want) <= rttToleranceMS,
		})
	}
	return all
}

func lossFigure(what string, pct *float64, ci *report.Interval, truth Figures) comparison {
	if pct == nil || ci == nil {
		return comparison{what, math.NaN(), truth.LossPct, "not reported", false}
	}
	const rounding = 0.001
	return comparison{
		what, *pct, truth.LossPct, fmt.Sprintf("interval %.2f to %.2f", ci[0], ci[1]),
		truth.LossPct >= ci[0]-rounding && truth.LossPct <= ci[1]+rounding,
	}
}

// jitterFigure compares the reported jitter with the mean of |D|, which is what
// media/stats reports.
func jitterFigure(what string, got *float64, truth Figures) comparison {
	if got == nil {
		return comparison{what, math.NaN(), truth.MeanAbsDMS, "not reported", truth.Received < 2}
	}
	tolerance := max(jitterToleranceMS, truth.MeanAbsDMS*jitterTolerancePct/100)
	return comparison{
		what, *got, truth.MeanAbsDMS, fmt.Sprintf("may differ by %.2f ms", tolerance),
		math.Abs(*got-truth.MeanAbsDMS) <= tolerance,
	}
}

// natFigures compares the results of nat.behavior, if it ran.
func natFigures(c Check) (all []comparison) {
	r, ok := c.Report.Probe(report.ProbeNATBehavior)
	b, isBehavior := r.Data.(*report.NATBehavior)
	if !ok || !isBehavior || b.Mapping == "" {
		return nil
	}
	mapping, filtering := c.behavior()
	same := func(what, got, want string) {
		all = append(all, comparison{what: what + " " + got, note: "want " + want, ok: got == want})
	}
	same("mapping", b.Mapping, mapping)
	if b.Filtering != "" {
		same("filtering", b.Filtering, filtering)
	}
	return all
}

// behavior returns the mapping and filtering of both NATs together: the stricter of each.
func (c Check) behavior() (mapping, filtering string) {
	order := map[string]int{"": 0, "none": 0, "EIM": 1, "ADM": 2, "APDM": 3, "EIF": 1, "ADF": 2, "APDF": 3}
	stricter := func(a, b string) string {
		if order[b] > order[a] {
			return b
		}
		return a
	}
	first := c.Scenario.NAT.withDefaults()
	mapping, filtering = first.Mapping, first.Filtering
	if c.Scenario.CGNAT != nil {
		second := c.Scenario.CGNAT.withDefaults()
		mapping, filtering = stricter(mapping, second.Mapping), stricter(filtering, second.Filtering)
	}
	if filtering == "" {
		filtering = "EIF"
	}
	return mapping, filtering
}
