package web_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// bigBlueButton returns the result for a server that fails at a step with a code; "" for one whose echo
// returned the voice.
func bigBlueButton(until report.ConferenceStep, code string) report.Result {
	d := &report.Conference{URLHost: "bbb.example.org", Reachable: new(true), Version: "3.0.4", Bridge: "bbb-webrtc-sfu"}
	steps := []report.ConferenceStep{report.StepAPI, report.StepSignIn, report.StepState, report.StepSignalling, report.StepCall,
		report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown}
	failed := false
	for i, name := range steps {
		check := report.ConferenceCheck{Name: name, Status: report.StatusOK, MS: new(float64(20 + i))}
		switch {
		case failed:
			check = report.ConferenceCheck{Name: name, Status: report.StatusUnknown, Code: "step_before"}
		case name == until:
			check.Status, check.Code, failed = report.StatusFail, code, true
			d.FailedStep, d.FailedCode = string(name), code
		}
		d.Checks = append(d.Checks, check)
	}
	status := report.StatusOK
	if failed {
		status = report.StatusWarn
	}
	d.Media = &report.MediaVoice{State: report.MediaComplete, Path: "host udp"}
	return report.Result{Name: report.ProbeBBB, Status: status, DurationMS: 6200, Data: d}
}

// TestConferenceIsALadder: the steps are shown in their order with result, time and reason.
func TestConferenceIsALadder(t *testing.T) {
	g := newRig(t).login()
	p, _ := g.checked("Anna", "", "M2W-8RT", microphone(nil), passage(), voice(0), internet(), bigBlueButton("", ""))
	w := g.get("/participants/" + p.ID)
	g.want(w, http.StatusOK, "BigBlueButton", "Stimme kommt an und zurück", "Ton kommt zurück", "20\u00a0ms", "28\u00a0ms")
	if body := w.Body.String(); strings.Count(body, `class="step"`) != 9 || strings.Index(body, "Schnittstelle") > strings.Index(body, "Ton kommt zurück") {
		t.Errorf("got %d steps, want 9 in order", strings.Count(body, `class="step"`))
	}
	if strings.Contains(w.Body.String(), "Gescheitert an") {
		t.Error("a step that did not fail is shown as not measured")
	}
	p, _ = g.checked("Berta", "", "M2W-8RV", microphone(nil), passage(), voice(0), internet(), bigBlueButton(report.StepPath, "no_path"))
	g.want(g.get("/participants/"+p.ID), http.StatusOK, "keine Verbindung für Ton gefunden", "Gescheitert an", "nicht geprüft, ein Schritt davor ist gescheitert")
}

// TestHostileSystemBreaksNoPage: any text of a document about a conference system is
// shown as text, truncated and without characters that hide or reorder it.
func TestHostileSystemBreaksNoPage(t *testing.T) {
	g := newRig(t).login()
	for i, text := range hostile {
		p, agentID := g.person("Anna", "")
		r := newReport(t, agentID, "M2W-8RT", g.clock().Add(-time.Minute), microphone(nil), passage(), voice(0), internet(), bigBlueButton(report.StepPath, "no_path"))
		doc, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		quoted, err := json.Marshal(strings.ToValidUTF8(text[:min(len(text), report.MaxBytes/16)], "\uFFFD"))
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{`"version":"3.0.4"`, `"bridge":"bbb-webrtc-sfu"`, `"failed_code":"no_path"`, `"failed_step":"path"`, `"code":"no_path"`, `"code":"step_before"`, `"name":"keys"`, `"path":"host udp"`, `"url_host":"bbb.example.org"`} {
			key, _, _ := strings.Cut(field, ":")
			if !bytes.Contains(doc, []byte(field)) {
				t.Fatalf("got no %s in %s", field, doc)
			}
			doc = bytes.ReplaceAll(doc, []byte(field), append([]byte(key+":"), quoted...))
		}
		g.keepDocument(p, r, doc)
		for _, number := range []string{"1007", "1010", "2301"} {
			w := g.get("/participants/" + p.ID + "?number=" + number) // the rig searches for inline scripts and styles
			body := w.Body.String()
			if w.Code != http.StatusOK || strings.Contains(body, "<img") || strings.ContainsAny(body, "\u202e\u0000\u001b\u200b") || len(body) > 200<<10 {
				t.Errorf("%d, %.40q: got status %d, %d bytes, want 200 and at most 200 kB without markup and control characters", i, text, w.Code, len(body))
			}
		}
	}
}
