package disturbance

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/store"
)

// stateOf returns the state of a member whose checks count from since on.
func stateOf(p store.ParticipantState, since time.Time) State {
	switch store.RollStateOf(p, since) {
	case store.RollRed:
		return StateNotReady
	case store.RollGreen:
		return StateReady
	case store.RollAmber:
		if p.Verdict == report.Limited {
			return StateLimited
		}
	}
	return StateUnknown
}

// knownAt returns what was known about a member at a time: reports that the collector has received
// later are not considered, even if their checks were made before.
func (r Recorder) knownAt(ctx context.Context, p store.ParticipantState, since, at time.Time) (store.ParticipantState, error) {
	if p.Last == nil {
		return p, nil
	}
	var reports []store.StoredReport
	late := p.Last.ReceivedAt.After(at)
	if !late && p.Full != nil && p.Full.ReportID != p.Last.ID {
		full, err := r.Store.Report(ctx, p.Full.ReportID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return p, err
		}
		late = err == nil && full.ReceivedAt.After(at)
	}
	if !late {
		return p, nil
	}
	err := r.Store.ReportsBetween(ctx, p.ID, since, at.Add(time.Millisecond), maxReportsRead, func(s store.StoredReport) {
		if !s.ReceivedAt.After(at) {
			reports = append(reports, s)
		}
	})
	if err != nil {
		return p, err
	}
	return r.fold(p, reports), nil
}

// fold returns the state of a member after these reports alone.
func (r Recorder) fold(p store.ParticipantState, reports []store.StoredReport) store.ParticipantState {
	slices.SortFunc(reports, func(a, b store.StoredReport) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	var known store.Known
	byID := map[string]store.ReportSummary{}
	for _, s := range reports {
		doc, err := r.Probes.Decode(s.Document)
		if err != nil {
			continue // of another version: its content is not known
		}
		byID[s.ID] = s.ReportSummary
		known = known.With(store.NewReport{Report: doc, ReceivedAt: s.ReceivedAt, CheckedAt: s.CheckedAt})
	}
	p.Last, p.Full, p.Verdict = nil, nil, known.Verdict()
	if known.Last != nil {
		last := byID[known.Last.ReportID]
		p.Last = &last
	}
	if known.Full != nil {
		p.Full = &store.FullCheck{ReportID: known.Full.ReportID, Verdict: known.Full.Verdict, CheckedAt: known.Full.CheckedAt}
	}
	return p
}

// diagnosis returns the cause that the check behind a state has found.
func (r Recorder) diagnosis(ctx context.Context, p store.ParticipantState, since, at time.Time) (*Diagnosis, error) {
	d := &Diagnosis{Area: report.AreaUnknown}
	var primary *report.Cause
	if p.Fresh(since) {
		d.Verdict, d.CheckedAt = p.Verdict, second(p.CountsAt())
		id := p.Last.ID
		if p.Last.Verdict == report.Ready && p.Full != nil {
			id = p.Full.ReportID
		}
		var err error
		if primary, err = r.cause(ctx, d, id); err != nil {
			return nil, err
		}
	}
	r.addCommon(d, primary, p.ID, at)
	return d, nil
}

// cause adds the primary cause of a report that found a problem, and returns it; nil if there is
// none.
func (r Recorder) cause(ctx context.Context, d *Diagnosis, reportID string) (*report.Cause, error) {
	stored, err := r.Store.Report(ctx, reportID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d.CheckedAt = second(stored.CheckedAt)
	if stored.Verdict == report.Ready {
		return nil, nil
	}
	d.Cause, d.Area = stored.Primary.Code, area(stored.Primary.Area)
	doc, err := r.Probes.Decode(stored.Document)
	if err != nil {
		return nil, nil // of another version: only the code is known
	}
	i := slices.IndexFunc(doc.Causes, func(c report.Cause) bool { return c.Primary })
	if i < 0 {
		return nil, nil
	}
	d.Evidence = doc.Causes[i].Evidence
	return &doc.Causes[i], nil
}

func area(a report.Area) report.Area {
	switch a {
	case report.AreaParticipant, report.AreaMunicipality, report.AreaProvider:
		return a
	}
	return report.AreaUnknown
}

// addCommon adds the common causes that affected somebody. A fault that many have at once is not
// attributed to one of them, and a fault of the collector's own servers is in nobody's area. A
// cause that the common one does not explain keeps its area.
func (r Recorder) addCommon(d *Diagnosis, primary *report.Cause, participantID string, at time.Time) {
	if r.Common == nil || r.Now().Sub(at) > fleet.Longest {
		return
	}
	for _, f := range r.Common() {
		if f.From.After(at) || !slices.Contains(f.Affected, participantID) {
			continue
		}
		d.Common = append(d.Common, f.Code)
		if d.Area != report.AreaParticipant && d.Area != report.AreaUnknown || primary != nil && !f.Explains(*primary) {
			continue
		}
		d.Area = report.AreaUnknown
		if f.Code == fleet.CodeProvider {
			d.Area = report.AreaProvider
		}
	}
}
