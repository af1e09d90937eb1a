package check

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestLoadWaitsForAllOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begun := time.Time{}
		load := probe.Step{Budget: time.Second, Exclusive: true, Probe: fake{report.ProbeMediaLoad, func(context.Context, probe.Env) (probe.Result, error) {
			begun = time.Now()
			return probe.Result{Status: report.StatusOK}, nil
		}}}
		start := time.Now()
		r, err := Run(t.Context(), Options{Plan: probe.Plan{after(report.ProbeNAT, 2*time.Second), load, after(report.ProbeMediaVoice, 7*time.Second)}})
		if err != nil {
			t.Fatal(err)
		}
		if got := begun.Sub(start); got != 7*time.Second || r.Probes[1].Status != report.StatusOK {
			t.Errorf("began after %v with status %s, want after %v with %s", got, r.Probes[1].Status, 7*time.Second, report.StatusOK)
		}
	})
}

func TestLoadRunsOnlyOnRequest(t *testing.T) {
	has := func(o Options) bool {
		plan, err := o.withDefaults().plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// media.load fills the line and must not run beside another probe.
		return slices.ContainsFunc(plan, func(s probe.Step) bool { return s.Probe.Name() == report.ProbeMediaLoad && s.Exclusive })
	}
	if has(Options{}) || !has(Options{Load: true}) || !has(Options{Only: []string{report.ProbeMediaLoad}}) {
		t.Errorf("got load %t by default, %t on request, %t alone; want false, true, true", has(Options{}), has(Options{Load: true}), has(Options{Only: []string{report.ProbeMediaLoad}}))
	}
}
