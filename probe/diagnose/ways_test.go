package diagnose_test

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The four ways are four results of their own: what closes one says nothing of
// the others, and what was not tested is never shown as good.
func TestFourWays(t *testing.T) {
	const works, blocked, silent = diagnose.WayWorks, diagnose.WayBlocked, diagnose.WaySilent
	const refused, untested = diagnose.WayRefused, diagnose.WayNotTested
	for name, tt := range map[string]struct {
		change func(*report.Report)
		want   []diagnose.WayState
	}{
		"healthy": {func(*report.Report) {}, []diagnose.WayState{works, works, works, works}},
		"UDP blocked": {func(r *report.Report) {
			nat(r).UDP = report.ReachBlocked
			turn(r).UDPAllocated, turn(r).UDPRelayed, turn(r).UDPError = new(false), nil, "unreachable"
		}, []diagnose.WayState{blocked, blocked, works, works}},
		"server silent": {func(r *report.Report) { noReflector(r); noRelay(r, "unreachable") },
			[]diagnose.WayState{silent, silent, silent, silent}},
		"refused": {func(r *report.Report) { noRelay(r, "auth_failed"); turn(r).TLSError = "tls" },
			[]diagnose.WayState{works, refused, refused, refused}},
		"nothing comes through": {func(r *report.Report) { turn(r).TCPRelayed = new(false) },
			[]diagnose.WayState{works, works, diagnose.WayNoData, works}},
		"none offered": {func(r *report.Report) { *turn(r) = report.NATTURN{Ways: new(0)} },
			[]diagnose.WayState{works, diagnose.WayNotThere, diagnose.WayNotThere, diagnose.WayNotThere}},
		"stopped": {func(r *report.Report) {
			*turn(r), *nat(r) = report.NATTURN{Ways: new(3)}, report.NAT{UDP: report.ReachNotTested}
		},
			[]diagnose.WayState{untested, untested, untested, untested}},
	} {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			tt.change(r)
			var got []diagnose.WayState
			for _, w := range diagnose.WaysOf(r) {
				got = append(got, w.State)
				for _, lang := range phrase.Langs() {
					if w.Name(lang) == "" || w.StateText(lang) == "" {
						t.Errorf("%s: %+v has no words", lang, w)
					}
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	r := healthy()
	r.Probes = r.Probes[:1]
	if ways := diagnose.WaysOf(r); ways != nil {
		t.Errorf("ways of a check that looked for none: %v", ways)
	}
}
