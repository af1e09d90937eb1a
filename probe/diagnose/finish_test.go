package diagnose_test

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestFinish(t *testing.T) {
	r := healthy()
	zeros(r)
	input(r).OSMuted = new(true)
	voice(r).RTTP50MS = new(700.0)
	r.Probes[4].Status = report.StatusSkipped
	diagnose.Finish(r, profile(t, "bbb"))

	if r.Verdict != report.NotReady || r.Profile != "bbb" || !slices.Equal(codes(r.Causes), []string{"audio.os_muted", "net.latency_high"}) {
		t.Errorf("verdict %s, profile %q, causes %q, want %s, bbb, audio.os_muted and net.latency_high", r.Verdict, r.Profile, codes(r.Causes), report.NotReady)
	}
	want := []report.Status{report.StatusFail, report.StatusOK, report.StatusWarn, report.StatusOK, report.StatusSkipped}
	for len(want) < len(r.Probes) {
		want = append(want, report.StatusOK)
	}
	for i, p := range r.Probes {
		if p.Status != want[i] {
			t.Errorf("%s: status = %s, want %s", p.Name, p.Status, want[i])
		}
	}
	if p, ok := r.Primary(); !ok || p.Code != "audio.os_muted" {
		t.Errorf("Primary() = %+v, %v, want audio.os_muted", p, ok)
	}
}

// TestFinishRaisesOnlyTheProbeAtFault: a sign that only supports a cause is not counted
// as a fault of the probe that measured it, and the status of a probe that could not
// measure because of our own server remains as it was.
func TestFinishRaisesOnlyTheProbeAtFault(t *testing.T) {
	r := healthy()
	nat(r).UDP = report.ReachBlocked
	voice(r).Path = "relay tcp"
	diagnose.Finish(r, profile(t, "bbb"))
	if got := []report.Status{r.Probes[1].Status, r.Probes[2].Status}; !slices.Equal(got, []report.Status{report.StatusWarn, report.StatusOK}) {
		t.Errorf("nat and media.voice = %v, want warn and ok", got)
	}

	r = healthy()
	noReflector(r)
	r.Probes[2].Status = report.StatusUnknown
	diagnose.Finish(r, profile(t, "bbb"))
	if r.Probes[2].Status != report.StatusUnknown {
		t.Errorf("media.voice = %s, want unknown", r.Probes[2].Status)
	}
}

func TestEvidenceReads(t *testing.T) {
	r := healthy()
	input(r).ActiveLevelDBFS = new(-52.1239)
	causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
	want := report.Evidence{Probe: "audio.input", Field: "active_level_dbfs", Value: -52.124, Unit: "dBFS", Limit: "< -50"}
	if len(causes) == 0 || causes[0].Evidence[0] != want {
		t.Errorf("causes = %+v, want first evidence %+v", causes, want)
	}
}

func TestFinishedReportIsValid(t *testing.T) {
	for code, provoke := range provocations() {
		r := healthy()
		provoke(r)
		diagnose.Finish(r, profile(t, "bbb"))
		if err := r.Validate(); err != nil {
			t.Errorf("%s: invalid report: %v", code, err)
		}
	}
}
