package web

import (
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/disturbance"
	"github.com/tonprobe/tonprobe/server/store"
)

// disturbed is one disturbance.
type disturbed struct {
	Number    int
	Name      string
	Title     string
	By        string
	Recorded  string // "" if it was entered at once
	Over      bool
	Remark    string
	Once      string
	Diagnosis diagnosis
	Later     *diagnosis
	LaterWhen string
	States    []stateNames
	Judgement []judged
	Presumed  string // "" if no presumption is known
}

// ElementID returns the id of the HTML element.
func (d disturbed) ElementID() string { return "disturbance-" + strconv.Itoa(d.Number) }

type diagnosis struct {
	Area, Cause, Code, Checked, Note string
	Evidence                         []evidence
	Common                           []string
}

type stateNames struct {
	State state
	Count int
	Names []string
}

type judged struct{ Condition, Truth string }

// recordEntry is an entry in the table of all entries.
type recordEntry struct {
	Number  int
	At      string
	Machine string
	What    string
	Hash    string
	Text    string
}

// clock returns a time with seconds, as records show it.
func (v view) clock(t time.Time) string {
	if v.lang == phrase.DE {
		return t.In(v.zone).Format("02.01.2006, 15:04:05 Uhr")
	}
	return t.In(v.zone).Format("2 Jan 2006, 15:04:05")
}

func (v view) disturbed(r disturbance.Record, e disturbance.Entry, few bool) disturbed {
	d := disturbed{Number: e.Number, Name: v.personName(e), By: v.T("record.reported_by", "by", v.madeBy(e)), Diagnosis: v.diagnosis(e.Diagnosis)}
	if e.RecordedAt.Sub(e.At) >= time.Minute {
		d.Recorded = v.T("record.recorded", "at", v.clock(e.RecordedAt))
	}
	d.Title = v.T("record.from_open", "at", v.clock(e.At))
	if end := r.EndOf(e.Number); end != nil {
		d.Over, d.Title = true, v.T("record.from", "at", v.clock(e.At), "end", v.clock(end.At))
	}
	if remark := e.Person(disturbance.RoleRemark); remark != nil {
		d.Remark = clean(remark.Text, 2*disturbance.MaxRemarkRunes)
	}
	if later := r.LaterDiagnosis(e.Number); later != nil {
		d.Later, d.LaterWhen = new(v.diagnosis(later.Diagnosis)), v.T("record.later", "at", v.clock(later.At))
	}
	others := e.OtherNames()
	counts := disturbance.Counts{}
	if e.Others != nil {
		counts = *e.Others
	}
	for _, s := range disturbance.States() {
		n := *counts.Of(s)
		if n == 0 {
			continue
		}
		one := stateNames{State: state{Kind: stateIcon(s), Word: v.T("record_state." + string(s))}, Count: n}
		if !few || s != disturbance.StateReady && s != disturbance.StateUnknown {
			for _, p := range others[s] {
				one.Names = append(one.Names, clean(p.Name, maxNameRunes))
			}
		}
		d.States = append(d.States, one)
	}
	if j := r.Judge(e); j.PresumedOwn != "" {
		if r.Rules.PresumedOwn.NotFixed {
			d.Judgement = append(d.Judgement, judged{v.T("record.not_fixed"), v.T("record_truth." + string(j.NotFixed))})
		}
		if r.Rules.PresumedOwn.AllOthersUndisturbed {
			d.Judgement = append(d.Judgement, judged{v.T("record.others_undisturbed"), v.T("record_truth." + string(j.OthersUndisturbed))})
		}
		d.Presumed = v.T("record_truth." + string(j.PresumedOwn))
	}
	return d
}

func stateIcon(s disturbance.State) string {
	switch s {
	case disturbance.StateReported, disturbance.StateNotReady:
		return string(report.NotReady)
	case disturbance.StateLimited:
		return string(report.Limited)
	case disturbance.StateReady:
		return string(report.Ready)
	}
	return string(report.Unknown)
}

// personName returns the name of the person with a disturbance.
func (v view) personName(e disturbance.Entry) string {
	if p := e.Person(disturbance.RoleDisturbed); p != nil {
		return v.name(store.Participant{Name: p.Name})
	}
	return v.T("record.erased_name")
}

func (v view) madeBy(e disturbance.Entry) string {
	if e.By == disturbance.ByParticipant {
		return v.T("record.by_participant")
	}
	name := "?"
	if p := e.Person(disturbance.RoleStaff); p != nil {
		name = clean(p.Name, maxNameRunes)
	}
	return v.T("record.by_support", "name", name)
}

func (v view) diagnosis(d *disturbance.Diagnosis) diagnosis {
	if d == nil {
		return diagnosis{Area: v.area(report.AreaUnknown), Note: v.T("record.no_check")}
	}
	told := diagnosis{Area: v.area(d.Area), Code: clean(d.Cause, maxNameRunes), Evidence: v.evidence(d.Evidence)}
	switch {
	case d.CheckedAt.IsZero():
		told.Note = v.T("record.no_check")
	case d.Cause != "":
		told.Cause = v.causeName(d.Cause)
	case d.Verdict == report.Ready:
		told.Note = v.T("record.check_ready")
	default:
		told.Note = v.T("record.no_cause")
	}
	if !d.CheckedAt.IsZero() {
		told.Checked = v.clock(d.CheckedAt)
	}
	for _, code := range d.Common {
		told.Common = append(told.Common, v.causeName(code))
	}
	return told
}

func (v view) recordEntry(e disturbance.Entry) recordEntry {
	told := recordEntry{Number: e.Number, At: v.clock(e.At), Machine: e.At.In(v.zone).Format(time.RFC3339), Hash: e.Hash,
		What: v.T("record_kind."+string(e.Kind)) + ", " + v.madeBy(e)}
	if e.Kind == store.DisturbanceReported {
		told.What += ": " + v.personName(e)
	}
	for _, n := range e.NotFixed {
		told.What += "; " + v.T("record.not_fixed_n", "n", n)
	}
	if e.About > 0 {
		told.What += " (" + v.T("record.entry_n", "n", e.About) + ")"
	}
	if remark := e.Person(disturbance.RoleRemark); remark != nil {
		told.Text = clean(remark.Text, 2*disturbance.MaxRemarkRunes)
	}
	return told
}
