package diagnose_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// uploadElsewhere simulates a backup beside the voice that keeps a buffer of one second full:
// all packets are late, hardly any are lost or uneven.
func uploadElsewhere(r *report.Report) {
	v := voice(r)
	v.RTTMinMS, v.RTTP50MS, v.RTTP95MS = new(540.0), new(780.0), new(1000.0)
	v.UpQueueMS, v.DownQueueMS = new(390.0), new(0.1)
	v.UpJitterMS, v.LatePct60MS = new(7.0), new(93.0)
}

// narrowUp simulates a line of 30 kbit/s.
func narrowUp(r *report.Report) {
	v := voice(r)
	v.RTTMinMS, v.RTTP50MS = new(130.0), new(730.0)
	v.UpQueueMS, v.UpRateKbps = new(560.0), new(29.8)
	v.UpLossPct, v.UpLossCI95 = new(36.0), &report.Interval{30.8, 41.6}
	v.UpJitterMS, v.LatePct60MS = new(11.0), new(95.0)
}

// TestTheQueueIsTheCause: the effects of a queue or a narrow line on the voice are
// reported once, by their cause.
func TestTheQueueIsTheCause(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(*report.Report)
		code     string // "": nothing is wrong
		severity report.Severity
	}{
		"a backup elsewhere": {uploadElsewhere, "net.bufferbloat", report.SeverityWarn},
		"a backup elsewhere, round trip of 1100 ms": {func(r *report.Report) {
			uploadElsewhere(r)
			voice(r).RTTP50MS = new(1100.0)
		}, "net.bufferbloat", report.SeverityFail},
		"a download elsewhere": {func(r *report.Report) {
			v := voice(r)
			v.RTTMinMS, v.RTTP50MS, v.DownQueueMS, v.LatePct60MS = new(380.0), new(560.0), new(260.0), new(90.0)
		}, "net.bufferbloat", report.SeverityWarn},
		"a short queue":   {func(r *report.Report) { voice(r).UpQueueMS = new(199.0) }, "", ""},
		"queue unknown":   {func(r *report.Report) { voice(r).UpQueueMS = nil }, "", ""},
		"30 kbit/s":       {narrowUp, "net.bandwidth_low_up", report.SeverityFail},
		"narrow but fits": {func(r *report.Report) { voice(r).UpRateKbps = new(600.0) }, "", ""},
		"30 kbit/s down": {func(r *report.Report) {
			v := voice(r)
			v.DownQueueMS, v.DownRateKbps, v.DownLossPct = new(560.0), new(30.0), new(36.0)
			v.DownLossCI95, v.LatePct60MS, v.RTTP50MS = &report.Interval{30, 41}, new(95.0), new(700.0)
		}, "net.bandwidth_low_down", report.SeverityFail},
		"the path has the excess loss too": {func(r *report.Report) {
			narrowUp(r)
			path(r).FaultSegment = "access"
		}, "net.bandwidth_low_up", report.SeverityFail},
		"void": {func(r *report.Report) {
			narrowUp(r)
			voice(r).SelfCheck = "void"
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			c.change(r)
			causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
			switch {
			case c.code == "" && len(causes) > 0:
				t.Errorf("got %s, want no cause", causes[0].Code)
			case c.code != "" && (len(causes) != 1 || causes[0].Code != c.code || causes[0].Severity != c.severity):
				t.Errorf("got %+v, want only %s as %s", causes, c.code, c.severity)
			}
		})
	}
}

// TestLoadFoundTheLineNarrow: if the voice and the rest of the check together fill the
// line, that is the only cause of late packets.
func TestLoadFoundTheLineNarrow(t *testing.T) {
	for kbps, want := range map[float64]string{34.6: "net.bandwidth_low_up", 450: "net.jitter_high"} {
		r := healthy()
		v := voice(r)
		v.RTTMinMS, v.RTTP50MS, v.LatePct60MS, v.UpQueueMS = new(65.0), new(226.0), new(87.0), new(0.0)
		load(r).UpKbps = new(kbps)
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		if len(causes) == 0 || causes[0].Code != want {
			t.Errorf("%g kbit/s: got %+v, want %s", kbps, causes, want)
		}
	}
}

// TestAQueueHidesNoOtherFault: what a queue does not explain is still reported.
func TestAQueueHidesNoOtherFault(t *testing.T) {
	for name, c := range map[string]struct {
		more func(*report.MediaVoice)
		code string
	}{
		"a satellite":                   {func(v *report.MediaVoice) { v.RTTMinMS, v.RTTP50MS = new(1200.0), new(1450.0) }, "net.latency_high"},
		"jitter in the other direction": {func(v *report.MediaVoice) { v.DownJitterMS = new(45.0) }, "net.jitter_high"},
		"loss in the other direction":   {func(v *report.MediaVoice) { v.DownLossPct, v.DownLossCI95 = new(20.0), &report.Interval{15, 25} }, "net.download_loss"},
	} {
		for _, queue := range []func(*report.Report){uploadElsewhere, narrowUp} {
			r := healthy()
			queue(r)
			c.more(voice(r))
			causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
			found := false
			for _, cause := range causes {
				found = found || cause.Code == c.code
			}
			if !found {
				t.Errorf("%s: got %+v, want %s among them", name, causes, c.code)
			}
		}
	}
}
