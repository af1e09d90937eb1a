package web_test

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/probe/report"
)

// system is the result of a check of a conference system, of which the step failed fails with
// a code; "" for none. The steps after it are not tested.
func system(probe string, failed report.ConferenceStep, code string, steps ...report.ConferenceStep) report.Result {
	d := &report.Conference{URLHost: "konferenz.verbandsgemeinde-musterhausen.example", Reachable: new(true), Version: "3.0.4"}
	r := report.Result{Name: probe, Status: report.StatusOK, DurationMS: 6200, Data: d}
	after := false
	for i, name := range steps {
		c := report.ConferenceCheck{Name: name, Status: report.StatusOK, MS: new(float64(3 + 411*i))}
		switch {
		case after:
			c = report.ConferenceCheck{Name: name, Status: report.StatusUnknown, Code: "step_before"}
		case name == failed:
			c.Status, c.Code, after = report.StatusFail, code, true
			d.FailedStep, d.FailedCode, r.Status = string(name), code, report.StatusWarn
		}
		d.Checks = append(d.Checks, c)
	}
	return r
}

// TestLadderOfEachSystem draws the steps of each system, healthy and failing at each step, on
// paper, on a phone, at 400 % and in both schemes.
func TestLadderOfEachSystem(t *testing.T) {
	b := openBrowser(t, "de")
	g := newRig(t)
	s := httptest.NewServer(g.handler)
	t.Cleanup(s.Close)
	t.Cleanup(g.live.Close) // ends the event streams
	call := []report.ConferenceStep{report.StepCall, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown}
	with := func(before ...report.ConferenceStep) []report.ConferenceStep { return append(before, call...) }
	people := map[string]string{}
	n := 0
	for probe, steps := range map[string][]report.ConferenceStep{
		report.ProbeBBB:     with(report.StepAPI, report.StepRoundTrip, report.StepSignIn, report.StepState, report.StepRelay, report.StepSignalling),
		report.ProbeLiveKit: append(with(report.StepAPI, report.StepRoundTrip, report.StepSignalling, report.StepSignIn, report.StepRelay), report.StepPathTCP, report.StepPathRelay),
		report.ProbeJanus:   with(report.StepAPI, report.StepSignalling, report.StepSignIn),
		report.ProbeWHIP:    with(report.StepAPI, report.StepSignIn, report.StepRelay),
		report.ProbeZoom:    {report.StepReach, report.StepSignalling, report.StepPath, report.StepSoundUp, report.StepSoundDown},
		report.ProbeYouTube: {report.StepReach, report.StepHandshake, report.StepPlain},
	} {
		codes := []string{"timeout", "not_api", "502", "certificate", "microphone_locked", "a_code-that.this_version_does_not_know_and_is_very_long_indeed"}
		for i, failed := range append([]report.ConferenceStep{""}, steps...) {
			n++
			p, _ := g.checked(fmt.Sprintf("%s %s", probe, failed), "", fmt.Sprintf("M2W-%03d", n), microphone(nil), passage(), voice(0), internet(), system(probe, failed, codes[i%len(codes)], steps...))
			people[probe+" "+string(failed)] = p.ID
		}
	}
	b.do(b.width(1280), chromedp.Navigate(s.URL+"/"), chromedp.WaitVisible(chromedp.CSS("#password")))
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), staffName), chromedp.SendKeys(chromedp.CSS("#password"), staffPassword+"\r"), chromedp.WaitVisible(chromedp.CSS("#q")))
	shots := map[string]bool{report.ProbeBBB + " ": true, report.ProbeBBB + " path": true, report.ProbeLiveKit + " relay": true, report.ProbeYouTube + " handshake": true}
	for who, id := range people {
		b.do(b.width(320), chromedp.Navigate(s.URL+"/participants/"+id+"?number=1007"), chromedp.WaitVisible(chromedp.CSS(".probe .ladder")))
		if over := b.overflow(); over > 0 {
			t.Errorf("%s is %d pixels too wide for 320", who, over)
		}
		// A word that is broken within a step is not readable. At 1000 pixels three cards
		// are side by side.
		for _, width := range []int64{320, 1000} {
			b.do(b.width(width))
			if narrow := get(b, chromedp.Evaluate[[]string](`[...document.querySelectorAll(".ladder .step")].filter((e) => e.getBoundingClientRect().width < 60).map((e) => e.textContent)`)); len(narrow) > 0 {
				t.Errorf("%s at %d pixels: steps of less than 60 pixels: %q", who, width, narrow)
			}
		}
		b.do(b.width(320))
		if !shots[who] {
			continue
		}
		name := "ladder-" + fmt.Sprintf("%s-%d", who[len("conference."):len("conference.")+3], len(who))
		b.shoot(name + "-320")
		for _, dark := range []bool{false, true} {
			b.do(b.width(1280), b.dark(dark))
			if faint := get(b, chromedp.Evaluate[[]string](faintText)); len(faint) > 0 {
				t.Errorf("%s, dark %v: %q", who, dark, faint)
			}
			b.shoot(fmt.Sprintf("%s-dark-%v", name, dark))
		}
		b.do(b.dark(false), b.width(794), step(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}))
		if over := b.overflow(); over > 0 {
			t.Errorf("%s is %d pixels too wide for paper", who, over)
		}
		b.shoot(name + "-print")
		b.do(step(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{}))
	}
	b.quiet()
}
