package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Notes of probes without a result. Their texts are those of report.Result.Error.
const (
	noteNotInBrowser = "a browser cannot measure this"
	noteNotMeasured  = "not measured"
	noteNoPackets    = "the browser sent no packets"
)

// visit is everything that the page has measured.
type visit struct {
	AgentID string `json:"agent_id"`
	Version string `json:"version"`
	// OS is the operating system as Go names it, or ios or android.
	OS             string    `json:"os"`
	StartedAt      time.Time `json:"started_at"`
	DurationMS     int64     `json:"duration_ms"`
	FirstVerdictMS int64     `json:"first_verdict_ms"`

	Audio *recorded `json:"audio"`
	Voice *streamed `json:"voice"`
	Web   *fetched  `json:"web"`
	// STUN is true if a STUN server answered over UDP; false means
	// unknown: a browser does not report a missing answer.
	STUN bool `json:"stun"`
}

// recorded is how the recording ended.
type recorded struct {
	// State is empty if the recording proves nothing; Note says why.
	State report.CaptureState `json:"state"`
	Note  string              `json:"note"`
}

// fetched is a request to the collector.
type fetched struct {
	Reached bool `json:"reached"` // by the collector itself: it has wire.HeaderCollector
	Status  int  `json:"status"`
	Offline bool `json:"offline"` // the browser says that there is no network
	// FirstByteMS is the time from the request to the first byte of the response.
	FirstByteMS *float64 `json:"first_byte_ms"`
	// ServerTimeMS is wire.HeaderTimeMS, AskedMS and AnsweredMS this device's clock around it,
	// all in Unix ms.
	ServerTimeMS float64 `json:"server_time_ms"`
	AskedMS      float64 `json:"asked_ms"`
	AnsweredMS   float64 `json:"answered_ms"`
}

// arch marks the reports of a browser: the machine that the check was compiled for.
const arch = wire.BrowserArch

// finish makes the report of a visit.
func finish(document []byte, heard *capture, random io.Reader) (*report.Report, error) {
	var v visit
	if err := json.Unmarshal(document, &v); err != nil {
		return nil, fmt.Errorf("read what the page measured: %w", err)
	}
	started := v.StartedAt.UTC().Truncate(time.Millisecond)
	id, err := report.NewID(started, random)
	if err != nil {
		return nil, err
	}
	code, err := report.NewCase(random)
	if err != nil {
		return nil, err
	}
	r := &report.Report{
		Schema: report.SchemaV1, ID: id, Case: code,
		Agent:   report.Agent{ID: v.AgentID, Version: v.Version, OS: v.OS, Arch: arch},
		Trigger: report.TriggerCheck, StartedAt: started, DurationMS: v.DurationMS, FirstVerdictMS: v.FirstVerdictMS,
		Verdict: report.Unknown, Causes: []report.Cause{},
	}
	r.Probes = []report.Result{v.Audio.result(heard), v.Voice.result(), v.Web.result(), v.nat()}
	absent, _ := diagnose.Missing(r)
	for _, name := range absent {
		r.Probes = append(r.Probes, report.Result{Name: name, Version: 1, Status: report.StatusSkipped, Error: noteNotInBrowser})
	}
	for i := range r.Probes {
		r.Probes[i].StartedAt = started
	}
	limits, err := diagnose.LoadProfile(diagnose.DefaultProfile)
	if err != nil {
		return nil, err
	}
	// Redacted before the diagnosis, as every report is.
	var probes report.Probes
	r = probes.Redact(r, report.Policy{})
	diagnose.Finish(r, limits)
	if err := probes.Validate(r); err != nil {
		return nil, fmt.Errorf("finish the report: %w", err)
	}
	return r, nil
}

func (a *recorded) result(heard *capture) report.Result {
	r := report.Result{Name: report.ProbeAudioInput, Version: 1, Status: report.StatusUnknown}
	if a == nil || a.State == "" {
		r.Error = noteNotMeasured
		if a != nil && a.Note != "" {
			r.Error = report.CleanText(a.Note)
		}
		return r
	}
	d := heard.data(a.State)
	r.Data, r.Status = d, report.StatusFail
	if a.State == report.CaptureComplete && d.AllZero != nil && !*d.AllZero {
		r.Status = report.StatusOK
	}
	return r
}

// result is unknown for an unanswered request, because a browser gives no reason.
func (f *fetched) result() report.Result {
	r := report.Result{Name: report.ProbeNetworkWeb, Version: 1, Status: report.StatusUnknown}
	switch {
	case f == nil:
		r.Error = noteNotMeasured
	case f.Reached:
		r.Status = report.StatusOK
		d := &report.NetworkWeb{Stage: "http", Online: new(true), HTTPMS: f.FirstByteMS, HTTPStatus: &f.Status, AddressFrom: "collector"}
		if f.Status >= 500 {
			d.ServerHealthy = new(false)
		}
		if f.ServerTimeMS > 0 && f.AnsweredMS >= f.AskedMS {
			d.ClockOffsetMS = new((f.AskedMS+f.AnsweredMS)/2 - f.ServerTimeMS)
			d.ClockUncertaintyMS = new((f.AnsweredMS - f.AskedMS) / 2)
		}
		r.Data = d
	case f.Offline:
		r.Status = report.StatusFail
		r.Data = &report.NetworkWeb{Online: new(false), AddressFrom: "collector"}
	default:
		r.Error = noteNotMeasured
	}
	return r
}

// nat reports only whether packets over UDP return.
func (v *visit) nat() report.Result {
	r := report.Result{Name: report.ProbeNAT, Version: 1, Status: report.StatusSkipped, Error: noteNotInBrowser}
	if v.STUN {
		r.Status, r.Error = report.StatusOK, ""
		r.Data = &report.NAT{UDP: report.ReachOpen, TCP: report.ReachNotTested}
	}
	return r
}

// soon is how long before its start a session counts as in progress. The agent and the collector
// use the same value.
const soon = time.Hour

// inSession reports whether the participant has a session in which a disturbance can be reported,
// by the collector's answer about the targets.
func inSession(targets []byte, now time.Time) bool {
	var known wire.Targets
	if json.Unmarshal(targets, &known) != nil {
		return false
	}
	return slices.ContainsFunc(known.Sessions, func(s wire.Session) bool {
		return !now.Before(s.StartsAt.Add(-soon)) && now.Before(s.Closes().Add(wire.Overtime))
	})
}
