package web

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// Lanes of the time axis, from top to bottom.
const (
	laneChecks = iota
	laneNetwork
	laneLevel
	laneProgram
	laneDevice
	laneCount
)

// laneKeys returns the keys of the names of the lanes.
func laneKeys() [laneCount]string {
	return [laneCount]string{"axis.checks", "axis.network", "axis.level", "axis.programs", "axis.devices"}
}

// axis is the time axis of a case: a picture, and the same as a table.
type axis struct {
	Text   string // of the picture, for people who cannot see it
	Ticks  []axisTick
	Lanes  []axisLane
	Marks  []axisMark
	Levels []axisStem
	CaseX  int
	Rows   []axisRow
	More   bool // there was more than is shown
}

type axisTick struct {
	X    int
	Text string
}

type axisLane struct {
	Name     string
	Y, TextY int
}

type axisMark struct {
	Kind string
	X, Y int // of the corner
}

// axisStem is the level of a voice, from the bottom of its lane.
type axisStem struct{ X, From, To int }

type axisRow struct {
	When  *when
	Lane  string
	State state
	Text  string
}

// Measures of the picture, in its own units.
const (
	axisWidth  = 1000
	axisLeft   = 150
	axisRight  = 980
	laneHeight = 44
	markSize   = 18
)

// Width, Height, Left, Bottom and TextY are measures for the template.
func (axis) Width() int  { return axisWidth }
func (axis) Height() int { return laneCount*laneHeight + 24 }
func (axis) Left() int   { return axisLeft }
func (axis) Bottom() int { return laneCount * laneHeight }
func (axis) TextY() int  { return laneCount*laneHeight + 18 }

// Limits of the axis.
const (
	axisBefore = 12 * time.Hour // before the case
	axisAfter  = 12 * time.Hour // after the case
	axisLeast  = 30 * time.Minute
	axisChecks = 60 // reports that are read
	axisRows   = 60
)

// happening is something on the axis.
type happening struct {
	at    time.Time
	lane  int
	state state
	text  string
	level *float64
}

// axis returns the time axis around a case. shown is the check that the page shows.
func (s *site) axis(ctx context.Context, v view, subject, shown store.StoredReport) (*axis, error) {
	end := shown.CheckedAt
	if latest := subject.CheckedAt.Add(axisAfter); end.After(latest) || end.Before(subject.CheckedAt) {
		end = latest
	}
	if end.After(v.now) {
		end = v.now
	}
	end = end.Add(time.Minute) // the check itself
	if !end.After(subject.CheckedAt) {
		end = subject.CheckedAt.Add(time.Minute)
	}
	start := subject.CheckedAt.Add(-axisBefore)
	checks, more, err := s.checksAround(ctx, subject, start, end)
	if err != nil {
		return nil, err
	}
	all := v.happenings(checks)
	all = slices.DeleteFunc(all, func(h happening) bool { return h.at.Before(start) || !h.at.Before(end) })
	all, cut, cutAfter := nearest(all, subject.CheckedAt, axisRows)
	if len(all) == 0 {
		return nil, nil
	}
	start = earlier(all[0].at, subject.CheckedAt)
	if more.after || cutAfter { // the axis must not include a time whose events are not shown
		end = later(all[len(all)-1].at, subject.CheckedAt).Add(time.Minute)
	}
	if span := end.Sub(start); span < axisLeast {
		start = end.Add(-axisLeast)
	}
	a := v.drawAxis(all, start, end)
	a.CaseX, a.More = axisX(subject.CheckedAt, start, end), more.before || more.after || cut
	return a, nil
}

// checksAround returns the checks next to a case, oldest first: with the case itself those before it,
// and at most half as many after it. The times of the store are whole milliseconds.
func (s *site) checksAround(ctx context.Context, subject store.StoredReport, start, end time.Time) (checks []store.StoredReport, more struct{ before, after bool }, err error) {
	behind := subject.CheckedAt.Add(time.Millisecond)
	var after []store.StoredReport
	err = s.Store.FirstReportsBetween(ctx, subject.ParticipantID, behind, end, axisChecks/2, func(r store.StoredReport) { after = append(after, r) })
	if err != nil {
		return nil, more, err
	}
	limit := axisChecks - len(after)
	err = s.Store.ReportsBetween(ctx, subject.ParticipantID, start, behind, limit, func(r store.StoredReport) { checks = append(checks, r) })
	if err != nil {
		return nil, more, err
	}
	more.before, more.after = len(checks) == limit, len(after) == axisChecks/2
	slices.Reverse(checks)
	return append(checks, after...), more, nil
}

// nearest returns at most most of the happenings, which are in order: those next to a time, half of
// them after it if there are as many before. cut is set if there are more, cutAfter if there are
// more after it.
func nearest(all []happening, at time.Time, most int) (_ []happening, cut, cutAfter bool) {
	if len(all) <= most {
		return all, false, false
	}
	behind := slices.IndexFunc(all, func(h happening) bool { return h.at.After(at) })
	if behind < 0 {
		behind = len(all)
	}
	after := min(len(all)-behind, max(most/2, most-behind))
	return all[behind+after-most : behind+after], true, behind+after < len(all)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// happenings returns the events that checks report, oldest first. An event in several reports is returned once.
func (v view) happenings(checks []store.StoredReport) (all []happening) {
	var last diagnose.Snapshot
	type told struct { // by the machine's clock, which is the same in all reports of an agent
		agent string
		diagnose.Moment
	}
	known := map[told]bool{}
	for _, c := range checks {
		r, err := v.terms.Probes().Decode(c.Document)
		if c.Trigger != report.TriggerEvent {
			all = append(all, happening{at: c.CheckedAt, lane: laneChecks, state: v.result(c.ReportSummary), text: v.trigger(c.Trigger) + ": " + v.reason(c.ReportSummary).Sentence})
		}
		if err != nil {
			continue // written by a newer version: only the summary is known
		}
		for _, m := range diagnose.Moments(r) {
			m.At = m.At.UTC().Truncate(time.Second)
			key := told{c.AgentID, m}
			if known[key] {
				continue
			}
			known[key] = true
			// The machine's clock may be wrong; the check shows by how much.
			m.At = m.At.Add(c.CheckedAt.Sub(c.StartedAt))
			all = append(all, v.momentHappening(m))
		}
		if c.Trigger != report.TriggerEvent {
			now := diagnose.SnapshotOf(r)
			all = append(all, v.changesBetween(last, now, c.CheckedAt)...)
			last = now.After(last)
		}
	}
	slices.SortStableFunc(all, func(a, b happening) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.lane, b.lane)) })
	return all
}

func (v view) momentHappening(m diagnose.Moment) happening {
	h := happening{at: m.At, lane: map[diagnose.Lane]int{diagnose.LaneNetwork: laneNetwork, diagnose.LaneDevice: laneDevice, diagnose.LaneProgram: laneProgram}[m.Lane],
		state: state{Kind: "info", Word: v.terms.Value(string(m.Kind), "")}}
	if m.Bad {
		h.state.Kind = "fail"
	}
	if m.Program != "" {
		h.text = clean(v.terms.Value(m.Program, ""), maxNameRunes)
	}
	return h
}

// changesBetween returns the changes of the network, the level and the devices that a check reports.
func (v view) changesBetween(last, now diagnose.Snapshot, at time.Time) (all []happening) {
	add := func(lane int, kind, word, text string) {
		all = append(all, happening{at: at, lane: lane, state: state{Kind: kind, Word: word}, text: text})
	}
	value := func(s string) string { return clean(v.terms.Value(s, ""), maxNameRunes) }
	if now.Link != "" && now.Link != last.Link {
		text := value(now.Link)
		if last.Link != "" {
			text = value(last.Link) + " → " + text
		}
		add(laneNetwork, "info", v.T("axis.link"), text)
	}
	if now.LossPct != nil {
		kind, text := "ok", v.terms.Value(*now.LossPct, "%")
		if now.LossBad {
			kind = "warn"
		}
		if now.RTTMS != nil {
			text += ", " + v.T("axis.rtt") + " " + v.terms.Value(*now.RTTMS, "ms")
		}
		add(laneNetwork, kind, v.T("axis.loss"), text)
	}
	if now.VoiceDBFS != nil {
		kind := "ok"
		if now.LevelBad {
			kind = "fail"
		}
		add(laneLevel, kind, v.T("axis.voice"), v.terms.Value(*now.VoiceDBFS, "dBFS"))
		all[len(all)-1].level = now.VoiceDBFS
	} else {
		add(laneLevel, "unknown", v.T("axis.no_voice"), "")
	}
	if now.Microphone != "" && last.Microphone != "" && now.Microphone != last.Microphone {
		add(laneDevice, "info", v.T("axis.microphone"), clean(last.Microphone, maxNameRunes)+" → "+clean(now.Microphone, maxNameRunes))
	}
	if now.Muted != nil && (last.Muted == nil && *now.Muted || last.Muted != nil && *now.Muted != *last.Muted) {
		if *now.Muted {
			add(laneDevice, "fail", v.T("axis.muted"), "")
		} else {
			add(laneDevice, "ok", v.T("axis.unmuted"), "")
		}
	}
	return all
}

func axisX(at, start, end time.Time) int {
	return axisLeft + int(float64(axisRight-axisLeft)*at.Sub(start).Seconds()/end.Sub(start).Seconds())
}

// drawAxis places everything in the picture.
func (v view) drawAxis(all []happening, start, end time.Time) *axis {
	a := &axis{}
	counts := [laneCount]int{}
	for i, key := range laneKeys() {
		a.Lanes = append(a.Lanes, axisLane{Name: v.T(key), Y: i*laneHeight + laneHeight/2, TextY: i*laneHeight + laneHeight/2 + 5})
	}
	for _, h := range all {
		counts[h.lane]++
		x, y := axisX(h.at, start, end), h.lane*laneHeight+laneHeight/2
		if h.level != nil { // from -60 dBFS at the bottom of the lane to 0 at its top
			bottom := (h.lane+1)*laneHeight - 4
			y = bottom - int(min(max(*h.level+60, 0), 60)/60*(laneHeight-8))
			a.Levels = append(a.Levels, axisStem{X: x, From: bottom, To: y})
		}
		a.Marks = append(a.Marks, axisMark{Kind: h.state.Kind, X: x - markSize/2, Y: y - markSize/2})
		a.Rows = append(a.Rows, axisRow{When: v.when(h.at), Lane: a.Lanes[h.lane].Name, State: h.state, Text: h.text})
	}
	a.Ticks = v.ticks(start, end)
	a.Text = v.T("axis.text", "from", start.In(v.zone).Format("15:04"), "to", end.In(v.zone).Format("15:04"), "checks", counts[laneChecks],
		"network", counts[laneNetwork], "programs", counts[laneProgram], "devices", counts[laneDevice])
	return a
}

// ticks returns round times on the axis, at most nine.
func (v view) ticks(start, end time.Time) (list []axisTick) {
	step := 5 * time.Minute
	for _, s := range []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour} {
		step = s
		if end.Sub(start)/s <= 8 {
			break
		}
	}
	local := start.In(v.zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, v.zone)
	for at := midnight.Add(local.Sub(midnight).Truncate(step)); at.Before(end); at = at.Add(step) {
		if !at.Before(start) {
			list = append(list, axisTick{X: axisX(at, start, end), Text: at.In(v.zone).Format("15:04")})
		}
	}
	return list
}
