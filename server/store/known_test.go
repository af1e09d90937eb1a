package store_test

import (
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

func TestAnEventIsNoCheck(t *testing.T) {
	at := time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC)
	arrived := func(trigger report.Trigger, verdict report.Verdict, after time.Duration) store.NewReport {
		r := &report.Report{ID: "id", Case: "K7P-3QX", Trigger: trigger, Verdict: verdict,
			Probes: []report.Result{{Name: report.ProbeAudioInput, Status: report.StatusOK}}}
		return store.NewReport{Report: r, CheckedAt: at.Add(after), ReceivedAt: at.Add(after)}
	}
	k := store.Known{}.With(arrived(report.TriggerCheck, report.Ready, 0)).With(arrived(report.TriggerEvent, report.Unknown, time.Hour))
	if k.Verdict() != report.Ready || !k.CountsAt().Equal(at) {
		t.Errorf("got verdict %v at %v after an event, want %v at %v", k.Verdict(), k.CountsAt(), report.Ready, at)
	}
	if k := (store.Known{}).With(arrived(report.TriggerEvent, report.Unknown, 0)); k.Verdict() != "" {
		t.Errorf("got verdict %q for an event alone, want none", k.Verdict())
	}
}

func TestWhichCheckDecides(t *testing.T) {
	check := func(id string, v report.Verdict) *store.Check { return &store.Check{ReportID: id, Verdict: v} }
	for _, c := range []struct {
		name  string
		known store.Known
		want  string
	}{
		{"never checked", store.Known{}, ""},
		{"a fault, never a full check", store.Known{Last: check("last", report.Limited)}, "last"},
		{"no fault, never a full check", store.Known{Last: check("last", report.Ready)}, ""},
		{"a fault after a full check", store.Known{Last: check("last", report.NotReady), Full: check("full", report.Ready)}, "last"},
		{"no fault after a full check that found one", store.Known{Last: check("last", report.Ready), Full: check("full", report.NotReady)}, "full"},
		{"unknown after a full check", store.Known{Last: check("last", report.Unknown), Full: check("full", report.Ready)}, "last"},
		{"the full check is the last", store.Known{Last: check("full", report.Ready), Full: check("full", report.Ready)}, "full"},
	} {
		got := ""
		if d := c.known.Decides(); d != nil {
			got = d.ReportID
		}
		if got != c.want {
			t.Errorf("%s: the check %q decides, want %q", c.name, got, c.want)
		}
	}
}
