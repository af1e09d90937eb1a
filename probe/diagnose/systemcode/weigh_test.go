package systemcode_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/diagnose/systemcode"
	"github.com/tonprobe/tonprobe/probe/report"
)

// good returns a report of probes without a fault.
func good(names ...string) *report.Report {
	r := &report.Report{}
	for _, name := range names {
		r.Probes = append(r.Probes, report.Result{Name: name, Status: report.StatusOK})
	}
	return r
}

// line contains the probes of a check without a conference system.
func line() []string {
	return []string{report.ProbeNAT, report.ProbeNATTURN, report.ProbeMediaVoice, report.ProbeNetworkWeb, report.ProbeNetworkPath,
		report.ProbeNetworkLink, report.ProbeNATBehavior, report.ProbeAudioInput, report.ProbeAudioOutput}
}

// visited returns a check of a BigBlueButton that failed at a step; "" for none. Path is
// the path of the sound.
func visited(failed report.ConferenceStep, code, path string) *report.Report {
	d := &report.Conference{Version: "3.0.4", Media: &report.MediaVoice{Path: path}}
	after := false
	for _, name := range []report.ConferenceStep{report.StepState, report.StepSignalling, report.StepCall, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown} {
		c := report.ConferenceCheck{Name: name, Status: report.StatusOK}
		if name == failed {
			c.Status, c.Code, after = report.StatusFail, code, true
			d.FailedStep, d.FailedCode = string(name), code
		} else if after {
			c.Status, c.Code = report.StatusUnknown, "step_before"
		}
		d.Checks = append(d.Checks, c)
	}
	r := good(line()...)
	r.Probes = append(r.Probes, report.Result{Name: report.ProbeBBB, Status: report.StatusOK, Data: d})
	return r
}

func with(r *report.Report, severity report.Severity, codes ...string) *report.Report {
	for _, code := range codes {
		r.Causes = append(r.Causes, report.Cause{Code: code, Severity: severity, Evidence: []report.Evidence{{Probe: "nat", Field: "udp", Value: "blocked"}}})
	}
	return r
}

func TestWeigh(t *testing.T) {
	const fail, info = report.SeverityFail, report.SeverityInfo
	unsure := visited("", "", "")
	for i := range unsure.Probes {
		if d, ok := unsure.Probes[i].Data.(*report.Conference); ok {
			d.Media = nil
			for j := range d.Checks {
				d.Checks[j].Status, d.Checks[j].Code = report.StatusUnknown, "needs_link"
			}
		}
	}
	for name, c := range map[string]struct {
		number string
		r      *report.Report
		want   systemcode.Answer
		why    systemcode.Why
		cause  string
	}{
		"UDP is blocked":                                    {"1007", with(good(line()...), fail, "net.udp_blocked"), systemcode.Confirmed, systemcode.WhyCause, "net.udp_blocked"},
		"no path to the system":                             {"1007", visited(report.StepPath, "no_path", ""), systemcode.Confirmed, systemcode.WhyStep, ""},
		"no path to the system, with a cause":               {"1007", with(visited(report.StepPath, "no_path", ""), fail, "conf.ice_failed"), systemcode.Confirmed, systemcode.WhyStep, "conf.ice_failed"},
		"UDP to the system works":                           {"1007", visited("", "", "host udp"), systemcode.Open, systemcode.WhyBrowserOnly, ""},
		"packets reach the system":                          {"2022", visited("", "", "host udp"), systemcode.Refuted, systemcode.WhyWorked, ""},
		"signalling was too slow":                           {"1010", visited(report.StepSignalling, "timeout", ""), systemcode.Confirmed, systemcode.WhyStep, ""},
		"no WebSocket, and the server was not checked":      {"1010", with(good(line()...), fail, "net.websocket_blocked"), systemcode.Confirmed, systemcode.WhyCause, "net.websocket_blocked"},
		"through a relay over UDP":                          {"1010", visited("", "", "relay udp"), systemcode.Open, systemcode.WhyBrowserOnly, ""},
		"it works, that to another server fails":            {"1007", with(visited("", "", "host udp"), fail, "net.turn_unreachable"), systemcode.Open, systemcode.WhyBrowserOnly, ""},
		"packets arrive, a path to another server fails":    {"2022", with(visited("", "", "host udp"), fail, "net.turn_unreachable"), systemcode.Refuted, systemcode.WhyWorked, ""},
		"only over TCP":                                     {"1007", visited("", "", "relay tls"), systemcode.Open, systemcode.WhyDetour, ""},
		"sound lost after the path":                         {"1007", visited(report.StepSoundUp, "nothing_arrived", "host udp"), systemcode.Open, systemcode.WhyBrowserOnly, ""},
		"no invitation":                                     {"1007", unsure, systemcode.Open, systemcode.WhyServerUntested, ""},
		"the system was not checked":                        {"1007", good(line()...), systemcode.Open, systemcode.WhyServerUntested, ""},
		"a cause of severity info confirms nothing":         {"1007", with(good(line()...), info, "net.nat_symmetric"), systemcode.Open, systemcode.WhyServerUntested, ""},
		"little was measured":                               {"1007", good(report.ProbeNetworkWeb), systemcode.Open, systemcode.WhyNotMeasured, ""},
		"nothing was measured":                              {"1007", &report.Report{}, systemcode.Open, systemcode.WhyNotMeasured, ""},
		"the voice server responds":                         {"1006", visited("", "", "host udp"), systemcode.Refuted, systemcode.WhyWorked, ""},
		"failed at the voice server":                        {"1006", visited(report.StepCall, "timeout", ""), systemcode.Confirmed, systemcode.WhyStep, ""},
		"only the line was checked":                         {"1006", good(line()...), systemcode.Open, systemcode.WhyNotMeasured, ""},
		"the same number":                                   {"2303", visited(report.StepCall, "2302", ""), systemcode.Confirmed, systemcode.WhySameCode, ""},
		"an earlier step failed":                            {"1007", visited(report.StepCall, "2001", ""), systemcode.Open, systemcode.WhyServerUntested, ""},
		"no WebSocket":                                      {"1302", visited(report.StepSignalling, "timeout", ""), systemcode.Confirmed, systemcode.WhyStep, ""},
		"a line without a fault":                            {"3004", good(line()...), systemcode.Refuted, systemcode.WhyNothingFound, ""},
		"a browser's permission":                            {"7", good(line()...), systemcode.Open, systemcode.WhyBeyond, ""},
		"the microphone is blocked":                         {"7", with(good(line()...), fail, "audio.privacy_blocked"), systemcode.Confirmed, systemcode.WhyCause, "audio.privacy_blocked"},
		"not measured by any check":                         {"1003", good(line()...), systemcode.Open, systemcode.WhyBeyond, ""},
		"a relay that Firefox must use refuses":             {"1007", with(visited("", "", "host udp"), info, "conf.turn_denied"), systemcode.Open, systemcode.WhyRelay, "conf.turn_denied"},
		"a relay that all must use refuses":                 {"2022", with(visited("", "", "host udp"), report.SeverityWarn, "conf.turn_denied"), systemcode.Open, systemcode.WhyRelay, "conf.turn_denied"},
		"a relay refuses, and the path fails":               {"1007", with(visited(report.StepPath, "no_path", ""), info, "conf.turn_denied"), systemcode.Confirmed, systemcode.WhyStep, ""},
		"a relay refuses, the call works":                   {"1006", with(visited("", "", "host udp"), info, "conf.turn_denied"), systemcode.Refuted, systemcode.WhyWorked, ""},
		"a check of another system":                         {"1007", &report.Report{Probes: []report.Result{{Name: report.ProbeJanus, Status: report.StatusOK, Data: &report.Conference{}}}}, systemcode.Open, systemcode.WhyNotMeasured, ""},
		"a fault before any path":                           {"1004", good(line()...), systemcode.Open, systemcode.WhyBeyond, ""},
		"a fault before any path, after a call that worked": {"1004", visited("", "", "host udp"), systemcode.Open, systemcode.WhyBeyond, ""},
		"a fault before any path, the wrong microphone":     {"1004", with(good(line()...), fail, "audio.wrong_device"), systemcode.Confirmed, systemcode.WhyCause, "audio.wrong_device"},
		"no check": {"1007", nil, systemcode.Open, systemcode.WhyNoCheck, ""},
	} {
		code, ok := systemcode.Lookup("bbb", c.number, phrase.EN)
		if !ok {
			t.Fatalf("no code %s", c.number)
		}
		f := systemcode.Weigh(code.Code, systemcode.Measured{Report: c.r})
		if f.Answer != c.want || f.Why != c.why || f.Cause.Code != c.cause {
			t.Errorf("%s: got %s because of %s (%s), want %s because of %s (%s)", name, f.Answer, f.Why, f.Cause.Code, c.want, c.why, c.cause)
		}
		if f.Answer != systemcode.Open && len(f.Evidence)+len(f.Steps)+len(f.Probes) == 0 {
			t.Errorf("%s: %s without evidence", name, f.Answer)
		}
		if c.r == nil {
			continue
		}
		if f := systemcode.Weigh(code.Code, systemcode.Measured{Report: c.r, Old: true}); f.Answer != systemcode.Open || f.Why != systemcode.WhyOld {
			t.Errorf("%s, too long ago: got %s because of %s; want %s, %s", name, f.Answer, f.Why, systemcode.Open, systemcode.WhyOld)
		}
	}
}

// TestCallBySIP: up to 2.5 the browser calls through another WebSocket than the check, so the
// check refutes no number of such a call. It still refutes those that only the SFU sends.
func TestCallBySIP(t *testing.T) {
	for _, c := range []struct {
		number, version, bridge string
		cause                   string
		want                    systemcode.Answer
		why                     systemcode.Why
	}{
		{"1002", "3.0.4", "", "", systemcode.Refuted, systemcode.WhyWorked},
		{"1002", "2.6.10", "", "", systemcode.Refuted, systemcode.WhyWorked},
		{"1302", "10.1", "", "", systemcode.Refuted, systemcode.WhyWorked},
		{"1002", "2.5.19", "", "", systemcode.Open, systemcode.WhyServerUntested},
		{"1302", "2.4", "", "", systemcode.Open, systemcode.WhyServerUntested},
		{"1002", "", "", "", systemcode.Open, systemcode.WhyServerUntested},
		{"1002", "2.0", "", "", systemcode.Open, systemcode.WhyServerUntested},
		{"1002", "2.0", "bbb-webrtc-sfu", "", systemcode.Refuted, systemcode.WhyWorked},
		{"1002", "2.0", "livekit", "", systemcode.Refuted, systemcode.WhyWorked},
		{"1002", "3.0.4", "freeswitch", "", systemcode.Open, systemcode.WhyServerUntested},
		{"1002", "2.5.19", "", "net.websocket_blocked", systemcode.Confirmed, systemcode.WhyCause},
		{"1005", "2.5.19", "", "", systemcode.Open, systemcode.WhyServerUntested},
		{"1006", "2.7.1", "", "", systemcode.Refuted, systemcode.WhyWorked},
		{"1006", "2.5.19", "", "", systemcode.Open, systemcode.WhyNotMeasured},
		{"1007", "2.5.19", "", "", systemcode.Open, systemcode.WhyServerUntested},
		{"2001", "2.5.19", "", "", systemcode.Refuted, systemcode.WhyWorked},
	} {
		code, ok := systemcode.Lookup("bbb", c.number, phrase.EN)
		if !ok {
			t.Fatalf("no code %s", c.number)
		}
		r := visited("", "", "host udp")
		result, _ := r.Probe(report.ProbeBBB)
		d := result.Data.(*report.Conference)
		d.Version, d.Bridge = c.version, c.bridge
		if c.cause != "" {
			with(r, report.SeverityFail, c.cause)
		}
		if f := systemcode.Weigh(code.Code, systemcode.Measured{Report: r}); f.Answer != c.want || f.Why != c.why {
			t.Errorf("%s, version %q, bridge %q: got %s because of %s, want %s because of %s", c.number, c.version, c.bridge, f.Answer, f.Why, c.want, c.why)
		}
		if d.FailedStep, d.FailedCode = string(report.StepSignalling), c.number; c.cause == "" {
			if f := systemcode.Weigh(code.Code, systemcode.Measured{Report: r}); f.Answer != systemcode.Confirmed {
				t.Errorf("%s, version %q, the same number in the check: got %s, want %s", c.number, c.version, f.Answer, systemcode.Confirmed)
			}
		}
	}
}

// TestNoPathInTheBrowser: a call of this program says nothing about an add-on of the browser,
// so it refutes no number that an add-on can cause.
func TestNoPathInTheBrowser(t *testing.T) {
	for _, number := range []string{"1007", "1307", "1010", "1020", "1107", "2021"} {
		code, ok := systemcode.Lookup("bbb", number, phrase.EN)
		if !ok {
			t.Fatalf("no code %s", number)
		}
		if f := systemcode.Weigh(code.Code, systemcode.Measured{Report: visited("", "", "srflx udp")}); f.Answer != systemcode.Open || f.Why != systemcode.WhyBrowserOnly {
			t.Errorf("%s: got %s because of %s; want %s, %s", number, f.Answer, f.Why, systemcode.Open, systemcode.WhyBrowserOnly)
		}
	}
}

// TestEveryAnswerHasAText: every answer has a text, and no code is refuted by a report
// without measurements.
func TestEveryAnswerHasAText(t *testing.T) {
	for _, lang := range phrase.Langs() {
		for _, why := range []systemcode.Why{systemcode.WhyCause, systemcode.WhySameCode, systemcode.WhyStep, systemcode.WhyWorked, systemcode.WhyNothingFound, systemcode.WhyDetour, systemcode.WhyRelay, systemcode.WhyBrowserOnly,
			systemcode.WhyServerUntested, systemcode.WhyNotMeasured, systemcode.WhyBeyond, systemcode.WhyOld, systemcode.WhyNoCheck} {
			for _, answer := range []systemcode.Answer{systemcode.Confirmed, systemcode.Refuted, systemcode.Open} {
				f := systemcode.Finding{Answer: answer, Why: why}
				if text := f.Text(lang) + f.Word(lang); text == "" || text[0] == "‹"[0] {
					t.Errorf("%s %s %s: got text %q, want one of the texts", lang, answer, why, text)
				}
			}
		}
	}
	for _, c := range systemcode.Codes("bbb") {
		if f := systemcode.Weigh(c, systemcode.Measured{Report: &report.Report{}}); f.Answer != systemcode.Open {
			t.Errorf("%s is %s without measurements", c.Number, f.Answer)
		}
	}
}

// TestNoNumberOfZoomIsRefuted: the path of Zoom's sound is closed, so a check of its web server
// confirms that Zoom cannot be reached, and never the opposite.
func TestNoNumberOfZoomIsRefuted(t *testing.T) {
	reached := func(status report.Status) *report.Report {
		r := good(line()...)
		r.Probes = append(r.Probes, report.Result{Name: report.ProbeZoom, Status: status, Data: &report.Conference{
			Checks: []report.ConferenceCheck{{Name: report.StepReach, Status: status}}}})
		return r
	}
	for _, c := range systemcode.Codes("zoom") {
		for name, r := range map[string]*report.Report{"reached": reached(report.StatusOK), "a good line": good(line()...), "blocked UDP": with(good(line()...), report.SeverityFail, "net.udp_blocked")} {
			if f := systemcode.Weigh(c, systemcode.Measured{Report: r}); f.Answer != systemcode.Open || f.Why != systemcode.WhyBeyond {
				t.Errorf("%s, %s: got %s because of %s; want %s, %s", c.Number, name, f.Answer, f.Why, systemcode.Open, systemcode.WhyBeyond)
			}
		}
		if len(c.Steps) == 0 {
			continue
		}
		if f := systemcode.Weigh(c, systemcode.Measured{Report: reached(report.StatusFail)}); f.Answer != systemcode.Confirmed || f.Why != systemcode.WhyStep {
			t.Errorf("%s, not reached: got %s because of %s; want %s, %s", c.Number, f.Answer, f.Why, systemcode.Confirmed, systemcode.WhyStep)
		}
		if f := systemcode.Weigh(c, systemcode.Measured{Report: with(good(), report.SeverityFail, "net.proxy_required")}); f.Answer != systemcode.Confirmed || f.Why != systemcode.WhyCause {
			t.Errorf("%s, behind a proxy: got %s because of %s; want %s, %s", c.Number, f.Answer, f.Why, systemcode.Confirmed, systemcode.WhyCause)
		}
	}
}

func TestVersion(t *testing.T) {
	if v := systemcode.Version("bbb", visited("", "", "")); v != "3.0.4" {
		t.Errorf("got version %q, want 3.0.4", v)
	}
	if v := systemcode.Version("bbb", nil) + systemcode.Version("zoom", visited("", "", "")); v != "" {
		t.Errorf("got version %q, want none", v)
	}
}
