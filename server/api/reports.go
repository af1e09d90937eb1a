package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
)

// Limits of a delivery.
const (
	maxReports    = 100
	maxPlainBytes = maxReports*report.MaxBytes + 64<<10 // decompressed
	maxWireBytes  = 8 << 20                             // as sent
)

// reportResult is the result of one report.
type reportResult struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Error  string `json:"error"`
}

const statusRejected = "rejected"

// reports responds with 202 only after all reports with the status stored or duplicate have been
// synced to disk, because the agent then deletes its copies.
func (a *API) reports(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := wantType(r, "application/json"); err != nil {
		return err
	}
	encoding, err := checkEncoding(w, r)
	if err != nil {
		return err
	}
	leave, err := a.uploads.enter(r.Context(), c.ID, r.ContentLength)
	if err != nil {
		return err
	}
	defer leave()
	d, err := a.readDelivery(w, r, encoding, c)
	if err != nil {
		return cmp.Or(a.touch(r.Context(), c), err)
	}
	if err := a.keep(r.Context(), c, d); err != nil {
		return err
	}
	if d.single && d.faults[0] != nil {
		return d.faults[0]
	}
	writeJSON(w, http.StatusAccepted, map[string][]reportResult{"results": d.results})
	return nil
}

// delivery is the content of one request. For each report it has the result, and either the report
// or the fault.
type delivery struct {
	single  bool // a report object instead of a list
	reports []*report.Report
	faults  []*Fault
	results []reportResult
}

func (a *API) readDelivery(w http.ResponseWriter, r *http.Request, encoding string, c caller) (*delivery, error) {
	packed, err := readWire(w, r, maxWireBytes)
	if err != nil {
		return nil, err
	}
	select {
	case a.unpacking <- struct{}{}:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	defer func() { <-a.unpacking }()
	plain, err := a.unpacker.unpack(packed, encoding, maxPlainBytes)
	if err != nil {
		return nil, err
	}
	if err := a.withinQuota(c.ID, len(plain)); err != nil {
		return nil, err
	}
	documents, single, err := split(plain)
	if err != nil {
		return nil, err
	}
	d := &delivery{single: single}
	for _, document := range documents {
		r, result, f := a.accept(document, c)
		if f != nil && !json.Valid(document) {
			return nil, malformedBody() // the whole body, because split does not check the syntax
		}
		d.add(r, result, f)
	}
	return d, nil
}

func (d *delivery) add(r *report.Report, result reportResult, f *Fault) {
	d.reports = append(d.reports, r)
	d.faults = append(d.faults, f)
	d.results = append(d.results, result)
}

// accept decodes and redacts a report, or returns the fault.
func (a *API) accept(document []byte, c caller) (*report.Report, reportResult, *Fault) {
	r, err := a.Probes.Decode(document)
	var f *Fault
	switch {
	case err != nil:
		f = reportFault(err)
	case !strings.EqualFold(r.Agent.ID, c.ID):
		f = fault(http.StatusForbidden, "agent_mismatch", "this report was created by a different agent than the one that sent it")
	default:
		return a.Probes.Redact(r, a.Policy), reportResult{ID: r.ID}, nil
	}
	return nil, reportResult{ID: idOf(document), Status: statusRejected, Error: f.Message}, f
}

func reportFault(err error) *Fault {
	if errors.Is(err, report.ErrTooLarge) {
		return fault(http.StatusRequestEntityTooLarge, "too_large", err.Error())
	}
	code := "report_invalid"
	if _, ok := errors.AsType[*report.VersionError](err); ok {
		code = "report_version"
	}
	return fault(http.StatusUnprocessableEntity, code, err.Error())
}

// idOf returns the id of a rejected report for the response; "" if it has none, or an invalid one.
func idOf(document []byte) string {
	var head struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(document, &head) != nil || len(head.ID) > 64 {
		return ""
	}
	return head.ID
}

// keep stores the accepted reports and completes the results.
func (a *API) keep(ctx context.Context, c caller, d *delivery) error {
	now := a.Now()
	var batch []store.NewReport
	var places []int // indexes of the batch in the results
	for i, r := range d.reports {
		if r == nil {
			continue
		}
		document, err := a.Probes.Encode(r)
		if err != nil {
			d.refuse(i, reportFault(err))
			continue
		}
		batch = append(batch, store.NewReport{Report: r, Document: document, ReceivedAt: now, CheckedAt: store.CheckedAt(r, now)})
		places = append(places, i)
	}
	if len(batch) > 0 {
		saved, err := a.Store.SaveReports(ctx, c.ID, batch)
		if err != nil {
			return err
		}
		for i, s := range saved {
			d.saved(places[i], s)
		}
	} else if err := a.touch(ctx, c); err != nil { // SaveReports does it as well
		return err
	}
	for i, result := range d.results {
		a.count.reports.WithLabelValues(result.Status).Inc()
		if result.Status == string(store.Stored) {
			a.Live.Publish(live.Event{Kind: live.ReportStored, ParticipantID: c.ParticipantID, ReportID: d.reports[i].ID, At: now})
		}
	}
	return nil
}

func (d *delivery) saved(i int, s store.SaveResult) {
	if s.Status == store.Foreign {
		d.refuse(i, fault(http.StatusUnprocessableEntity, "report_id_taken", "another agent has sent a report with this id"))
		return
	}
	d.results[i].Status = string(s.Status)
}

func (d *delivery) refuse(i int, f *Fault) {
	d.faults[i] = f
	d.results[i].Status, d.results[i].Error = statusRejected, f.Message
}
