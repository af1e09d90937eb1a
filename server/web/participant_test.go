package web_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

func TestParticipantPageShowsCauseAndEvidence(t *testing.T) {
	g := newRig(t).login()
	p, r := g.checked("Berta Muted", "0228 2", "M2W-8RT", microphone(muted), passage(), voice(9.5), internet())
	w := g.get("/participants/" + p.ID)
	g.want(w, http.StatusOK, "Ihr Mikrofon ist im Computer stummgeschaltet.", "Das sagen Sie", "Schalten Sie die Stummschaltung aus",
		"Auf die Taste mit dem durchgestrichenen Mikrofon", "So wird man Sie nicht hören.", "Im System stummgeschaltet", "97 %", "audio.os_muted",
		"Außerdem gefunden", "net.upload_loss", "9,5 %", "die Person selbst", "Windows", "203.0.113.0/24", `href="tel:02282"`, "? </span>nicht gemessen")
	g.lang = "en"
	g.want(g.get("/participants/"+p.ID), http.StatusOK, "What to say", "9.5 %", "not measured", "4 Mar 2026, 17:58")

	doc := g.get("/participants/" + p.ID + "/reports/" + r.ID + "/document")
	back, err := report.Decode(doc.Body.Bytes())
	if err != nil || back.ID != r.ID || doc.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("document: got error %v, header %v; want report %s as JSON", err, doc.Header(), r.ID)
	}
}

func TestHistoryAndOlderReports(t *testing.T) {
	g := newRig(t).login()
	p, agentID := g.person("Anna", "")
	var ids []string
	for i := range 25 {
		probe := microphone(nil)
		if i%2 == 0 {
			probe = microphone(muted)
		}
		r := newReport(t, agentID, "K7P-3QX", g.clock(), probe, passage(), voice(0))
		ids = append(ids, r.ID)
		g.keep(p, r)
		g.pass(time.Minute)
	}
	body := g.get("/participants/" + p.ID).Body.String()
	if n := strings.Count(body, `class="whole"`); n != 20 {
		t.Errorf("got %d checks in the history, want the last 20", n)
	}
	if strings.Contains(body, "ältere Prüfung") || !strings.Contains(body, ids[24]) || strings.Contains(body, ids[4]) {
		t.Error("the history does not end with the latest check")
	}
	older := "/participants/" + p.ID + "/reports/" + ids[1]
	g.want(g.get(older+"?alone=1"), http.StatusOK, "Sie sehen eine ältere Prüfung", "Man wird Sie hören", "Zur neuesten Prüfung")
	if !strings.Contains(body, "/reports/"+ids[20]+"?alone=1") {
		t.Error("the history has no link to a single check")
	}
}

// TestTheNewestCheckLeads: the page was opened with a caller's code, and the caller
// has checked again since.
func TestTheNewestCheckLeads(t *testing.T) {
	g := newRig(t).login()
	p, agentID := g.person("Anna", "")
	before := newReport(t, agentID, "K7P-3QX", g.clock(), microphone(muted), passage(), voice(0))
	g.keep(p, before)
	opened := "/participants/" + p.ID + "/reports/" + before.ID
	g.want(g.get(opened), http.StatusOK, "stumm", `data-version="`+before.ID+`"`)
	g.pass(time.Minute)
	after := newReport(t, agentID, "K7P-3QY", g.clock(), microphone(nil), passage(), voice(0), internet())
	g.keep(p, after)
	w := g.get(opened)
	g.want(w, http.StatusOK, "Man wird Sie hören", `data-version="`+after.ID+`"`, "Sie haben eine frühere geöffnet", "K7P-3QX")
	answer := w.Body.String()
	answer = answer[strings.Index(answer, `id="answer"`):]
	if say := answer[:strings.Index(answer, ">")]; strings.Contains(say, "stumm") {
		t.Errorf("the old sentence is announced as a change: %s", say)
	}
	// An earlier check that is shown alone does not change when another arrives.
	alone := g.get(opened + "?alone=1").Body.String()
	if !strings.Contains(alone, `id="answer" aria-labelledby="answer-title" data-version="`+before.ID) || !strings.Contains(alone, `id="newest" data-version="`+after.ID) {
		t.Error("the versions do not depend on what is shown")
	}
}

func TestMissingReports(t *testing.T) {
	g := newRig(t).login()
	p, _ := g.checked("Anna", "", "A1B-2C3", microphone(nil))
	_, foreign := g.checked("Berta", "", "B1B-2C3", microphone(muted))
	for _, address := range []string{"/participants/nobody", "/participants/" + p.ID + "/reports/none", "/participants/" + p.ID + "/reports/" + foreign.ID,
		"/participants/" + p.ID + "/reports/" + foreign.ID + "/document", "/nonsense", "/participants/%2e%2e%2fx"} {
		g.want(g.get(address), http.StatusNotFound, "Das gibt es hier nicht.")
	}
	g.want(g.post("/participants/nobody/block"), http.StatusNotFound)
	g.want(g.post("/participants/nobody/code"), http.StatusNotFound)
}

func TestBlockingAndUnblocking(t *testing.T) {
	g := newRig(t).login()
	p, _ := g.checked("Anna", "", "A1B-2C3", microphone(nil))
	address := "/participants/" + p.ID
	g.wantRedirect(g.post(address+"/block"), address)
	g.want(g.get(address), http.StatusOK, "gesperrt", "Sperre aufheben")
	g.want(g.get("/?show=blocked"), http.StatusOK, "gesperrt")
	g.wantRedirect(g.post(address+"/unblock"), address)
	if now, err := g.store.Participant(t.Context(), p.ID); err != nil || now.Blocked {
		t.Errorf("got %+v, error %v; want not blocked", now, err)
	}
}

func TestAdmitting(t *testing.T) {
	g := newRig(t).login()
	g.want(g.get("/participants/new"), http.StatusOK, `name="phone"`)
	w := g.post("/participants", "name", " Jürgen Neu ", "phone", "0228 77")
	g.want(w, http.StatusCreated, "Jürgen Neu", "tonprobe enroll ", " --server http://example.com", "18.03.2026, 18:00 Uhr")
	_, rest, _ := strings.Cut(w.Body.String(), `class="bigcode">`)
	code, _, _ := strings.Cut(rest, "<")
	if len(code) != 14 {
		t.Errorf("got code %q, want 14 characters", code)
	}
	_, rest, _ = strings.Cut(w.Body.String(), `class="button" href="`)
	address, _, _ := strings.Cut(rest, `"`)
	g.want(g.get(address), http.StatusOK, "Das Programm ist noch auf keinem Computer eingerichtet", "0228 77")
	again := g.post(address + "/code")
	g.want(again, http.StatusCreated, "Jürgen Neu")
	if strings.Contains(again.Body.String(), code) {
		t.Error("got the same code twice")
	}
	for pair, want := range map[[2]string]string{
		{"", ""}:                          "geben Sie einen Namen ein",
		{"  ", "1"}:                       "geben Sie einen Namen ein",
		{"\u202e\u202e", "1"}:             "geben Sie einen Namen ein",
		{"A\u202eB", "1"}:                 "unsichtbare Zeichen",
		{"A", "1\x002"}:                   "unsichtbare Zeichen",
		{strings.Repeat("ä", 201), "1"}:   "Der Name ist zu lang. Möglich sind 200 Zeichen.",
		{"A", strings.Repeat("1", 41)}:    "Die Telefonnummer ist zu lang",
		{"A\xff", "1"}:                    "unsichtbare Zeichen",
		{strings.Repeat("x", 60000), "1"}: "Der Name ist zu lang",
	} {
		g.want(g.post("/participants", "name", pair[0], "phone", pair[1]), http.StatusUnprocessableEntity, want)
	}
	g.want(g.post("/participants", "name", strings.Repeat("x", 10<<20)), http.StatusRequestEntityTooLarge, "zu viel Text")
	g.want(g.post("/login", "name", "x", "password", strings.Repeat("x", 10<<20)), http.StatusRequestEntityTooLarge)
}

// hostile contains texts that could break a page.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, "{{.}}", "javascript:alert(1)",
	"\u202everkehrt\u202c", "a\u0000b\u001b[31m", strings.Repeat("Zalgo\u0301\u0302\u0303\u0304\u0305", 200), "", " \t\n ", "\u200b\u200b", "</title><b>", "\xff\xfe",
	strings.Repeat("W", 10<<20),
}

func TestHostileNamesBreakNoPage(t *testing.T) {
	g := newRig(t).login()
	for _, text := range hostile {
		p, _ := g.checked(text, text, "K7P-3QX", microphone(muted), passage(), voice(0))
		for _, address := range []string{"/?sort=recent", "/participants/" + p.ID} {
			body := g.get(address).Body.String() // the rig searches for inline scripts and styles
			if strings.Contains(body, "<img") || strings.Contains(body, "<b>") || strings.ContainsAny(body, "\u202e\u0000\u001b\u200b") || len(body) > 200<<10 {
				t.Errorf("%.40q on %s: got %d bytes, want at most 200 kB without markup and control characters", text, address, len(body))
			}
		}
		if w := g.post("/participants/" + p.ID + "/code"); w.Code != http.StatusCreated {
			t.Errorf("%.40q: got no code, status %d, want %d", text, w.Code, http.StatusCreated)
		}
	}
}

func TestOddReportsBreakNoPage(t *testing.T) {
	g := newRig(t).login()
	p, agentID := g.person("Anna", "")
	show := func(name string, r *report.Report, document []byte, parts ...string) {
		t.Helper()
		g.pass(time.Minute)
		r.StartedAt = g.clock()
		g.keepDocument(p, r, document)
		g.want(g.get("/participants/"+p.ID+"/reports/"+r.ID), http.StatusOK, parts...)
		g.want(g.get("/"), http.StatusOK, "Anna")
		if t.Failed() {
			t.Fatalf("failed with %s", name)
		}
	}
	document := func(r *report.Report, change func(map[string]any)) []byte {
		b, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := json.Unmarshal(b, &tree); err != nil {
			t.Fatal(err)
		}
		change(tree)
		if b, err = json.Marshal(tree); err != nil {
			t.Fatal(err)
		}
		return b
	}
	fresh := func(probes ...report.Result) *report.Report {
		return newReport(t, agentID, "K7P-3QX", g.clock(), probes...)
	}

	show("no probes", fresh(), document(fresh(), func(map[string]any) {}), "Das ließ sich nicht sicher prüfen")
	for _, garbage := range []string{"", "null", "{", "[]", `{"schema":"tonprobe.report/v2"}`, "\xff"} {
		r := fresh(microphone(nil), passage(), voice(0))
		show("garbage", r, []byte(garbage), "von einer neueren Version")
	}
	unknownProbe := fresh(passage())
	show("a probe of the future", unknownProbe, document(unknownProbe, func(tree map[string]any) {
		tree["probes"].([]any)[0].(map[string]any)["name"] = "quantum.entangler"
	}), "quantum.entangler", "Keine Einzelwerte")

	r := fresh(passage(), report.Result{Name: report.ProbeMediaVoice, Status: report.StatusFail, Error: "dial 192.168.1.1: <script>"})
	r.Profile, r.Verdict = "tomorrow", report.NotReady
	r.Causes = []report.Cause{{Code: "net.gremlins", Severity: report.SeverityFail, Primary: true, Confidence: 1, Area: report.AreaUnknown, Endpoint: report.EndpointReflector,
		Evidence: []report.Evidence{{Probe: "quantum", Field: "flux", Value: "<script>alert(1)</script>", Unit: "<b>", Limit: "> 1.21"},
			{Probe: report.ProbeNAT, Field: "udp", Value: true}}}}
	show("a cause of the future", r, document(r, func(map[string]any) {}), "Diese Ursache kennt dieser Server noch nicht", "net.gremlins", "Gemessen zu: Reflektor des Prüf-Servers", "> 1,21", "tomorrow")
	if body := g.get("/participants/" + p.ID).Body.String(); strings.Contains(body, "<b>") || strings.Contains(body, "192.168.1.1") {
		t.Error("the page contains a text that the report must not contain")
	}
}

func TestEveryStateHasItsOwnTextAndShape(t *testing.T) {
	g := newRig(t).login()
	councilOf(g)
	g.checked("Fritz Line", "", "F1F-2F3", passage(), voice(0), internet())
	body := g.get("/").Body.String()
	shapes := map[string]string{}
	for _, kind := range []string{"ready", "limited", "not_ready", "unknown", "none", "partial"} {
		_, rest, found := strings.Cut(body, `<span class="state is-`+kind+`">`)
		icon, rest, _ := strings.Cut(rest, "</svg>")
		word, _, _ := strings.Cut(rest, "</span>")
		_, name, _ := strings.Cut(icon, `<use href="#`)
		name, _, _ = strings.Cut(name, `"`)
		_, shape, drawn := strings.Cut(body, `<symbol id="`+name+`"`)
		shape, _, _ = strings.Cut(shape, "</symbol>")
		if !found || !drawn || word == "" || !strings.Contains(icon, `aria-hidden="true"`) {
			t.Errorf("%s: got found %v, shape %q, drawn %v, word %q; want a drawn shape with a word, hidden from screen readers", kind, found, name, drawn, word)
		}
		for other, s := range shapes {
			if s == shape {
				t.Errorf("%s has the same shape as %s", kind, other)
			}
		}
		shapes[kind] = shape
	}
}

func TestDashboardLogsNothingPersonal(t *testing.T) {
	g := newRig(t).login()
	p, _ := g.checked("Anna Geheim", "0228 777", "A1B-2C3", microphone(nil))
	g.get("/participants/" + p.ID)
	g.post("/participants/" + p.ID + "/block")
	g.post("/participants", "name", "Berta Geheim")
	if text := g.log.String(); slices.ContainsFunc([]string{"Geheim", "0228 777", "0228777", "tel:", staffPassword}, func(s string) bool { return strings.Contains(text, s) }) {
		t.Errorf("got log\n%s\nwant it without personal data", text)
	}
}

// TestReasonsAreInTheReadersLanguage: the reason for an unknown result has the same words as on the
// participant's screen; a reason that only a newer version defines is shown unchanged.
func TestReasonsAreInTheReadersLanguage(t *testing.T) {
	g := newRig(t).login()
	left := func(name, why string) report.Result {
		return report.Result{Name: name, Status: report.StatusSkipped, Error: why}
	}
	p, _ := g.checked("Anna Muster", "", "A1B-2C3", left(report.ProbeAudioInput, "the microphone was omitted on request"),
		left(report.ProbeMediaLoad, "<b>the moon</b> was in the way"), passage(), voice(0), internet())
	for lang, want := range map[string][]string{
		"de": {"Grund: Das Mikrofon blieb auf Wunsch aus.", "Technischer Grund, auf Englisch: <b>the moon</b> was in the way"},
		"en": {"Reason: The microphone stayed off, as requested.", "Technical reason: <b>the moon</b> was in the way"},
	} {
		g.lang = lang
		page := g.get("/participants/" + p.ID)
		g.want(page, http.StatusOK, want...)
		if body := page.Body.String(); strings.Contains(body, "omitted on request") || strings.Contains(body, "<b>") {
			t.Errorf("%s: got English words or markup of the reason:\n%s", lang, body)
		}
	}
}

// TestPartialResultIsNotShownAsOK: a result with a value that could not be measured, as the filtering
// of a router with most servers, is not shown as good.
func TestPartialResultIsNotShownAsOK(t *testing.T) {
	g := newRig(t).login()
	half := report.Result{Name: report.ProbeNATBehavior, Status: report.StatusOK, Data: &report.NATBehavior{UDP: new(true), Mapping: "EIM"}}
	p, _ := g.checked("Anna Muster", "", "A1B-2C3", microphone(nil), half, passage(), voice(0), internet())
	_, body, _ := strings.Cut(g.get("/participants/"+p.ID).Body.String(), "Verhalten des Routers</h3>")
	body, _, _ = strings.Cut(body, "</article>")
	if strings.Contains(body, "in Ordnung") || !strings.Contains(body, "teils geprüft") || !strings.Contains(body, "nicht gemessen") {
		t.Errorf("got %s; want it without %q, containing %q and %q", body, "in Ordnung", "teils geprüft", "nicht gemessen")
	}
}
