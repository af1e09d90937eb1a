package diagnose_test

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestFourWays: the four paths are independent results: what blocks one says nothing
// about the others, and a path that was not tested is never shown as good.
func TestFourWays(t *testing.T) {
	const works, blocked, silent = diagnose.PathWorks, diagnose.PathBlocked, diagnose.PathSilent
	const refused, untested = diagnose.PathRefused, diagnose.PathNotTested
	for name, tt := range map[string]struct {
		change func(*report.Report)
		want   []diagnose.PathState
	}{
		"healthy": {func(*report.Report) {}, []diagnose.PathState{works, works, works, works}},
		"UDP blocked": {func(r *report.Report) {
			nat(r).UDP = report.ReachBlocked
			turn(r).UDPAllocated, turn(r).UDPRelayed, turn(r).UDPError = new(false), nil, "unreachable"
		}, []diagnose.PathState{blocked, blocked, works, works}},
		"server silent": {func(r *report.Report) { noReflector(r); noRelay(r, "unreachable") },
			[]diagnose.PathState{silent, silent, silent, silent}},
		"refused": {func(r *report.Report) { noRelay(r, "auth_failed"); turn(r).TLSError = "tls" },
			[]diagnose.PathState{works, refused, refused, refused}},
		"relays nothing": {func(r *report.Report) { turn(r).TCPRelayed = new(false) },
			[]diagnose.PathState{works, works, diagnose.PathNoData, works}},
		"none offered": {func(r *report.Report) { *turn(r) = report.NATTURN{Transports: new(0)} },
			[]diagnose.PathState{works, diagnose.PathNotThere, diagnose.PathNotThere, diagnose.PathNotThere}},
		"stopped": {func(r *report.Report) {
			*turn(r), *nat(r) = report.NATTURN{Transports: new(3)}, report.NAT{UDP: report.ReachNotTested}
		},
			[]diagnose.PathState{untested, untested, untested, untested}},
	} {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			tt.change(r)
			var got []diagnose.PathState
			for _, w := range diagnose.MediaPaths(r) {
				got = append(got, w.State)
				for _, lang := range phrase.Langs() {
					if w.Name(lang) == "" || w.StateText(lang) == "" {
						t.Errorf("%s: %+v has no text", lang, w)
					}
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	r := healthy()
	r.Probes = r.Probes[:1]
	if ways := diagnose.MediaPaths(r); ways != nil {
		t.Errorf("paths of a check without nat and nat.turn: got %v, want nil", ways)
	}
}
