package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestNumberWithoutParticipant: the home page shows the meaning of an error number.
func TestNumberWithoutParticipant(t *testing.T) {
	g := newRig(t).login()
	g.want(g.get("/"), http.StatusOK, `action="/numbers"`, "Fehler-Nummer, die vorgelesen wird")
	for _, readOut := range []string{"1007", "Fehler 1007", "ICE 1007", "bbb 1307"} {
		w := g.get("/numbers?number=" + url.QueryEscape(readOut))
		g.want(w, http.StatusOK, "BigBlueButton", "ICE-Verhandlung gescheitert", "UDP ist gesperrt", "Auf der Seite einer Person")
	}
	g.want(g.get("/numbers?number=1004"), http.StatusOK, "Ältere Versionen", "Neuere Versionen")
	g.want(g.get("/numbers"), http.StatusOK, "2001, 2000, 2002", "Mikrofon nicht erlaubt")
	g.want(g.get("/numbers?number=4711"), http.StatusOK, "Die Nummer „4711“ ist nicht bekannt", "Mikrofon nicht erlaubt")
	g.want(g.get("/numbers?number=zoom+5003"), http.StatusOK, "Zoom 5003: Keine Verbindung zu Zoom", "Nach Angaben Dritter")
	g.want(g.get("/numbers?number=zoom+4711"), http.StatusOK, "Bitten Sie um die Zahl", "Sitzung ohne Kenncode und Warteraum")
	g.want(g.get("/numbers?number=teams+5003"), http.StatusOK, "Die Nummern von Microsoft Teams kennt dieses Programm nicht")
	g.want(g.get("/numbers?number=Hilfe"), http.StatusOK, "Bitten Sie um die Zahl")
	hostile := g.get("/numbers?number=" + url.QueryEscape("<script>\u202e1007</script>"+strings.Repeat("x", 5000)))
	if body := hostile.Body.String(); hostile.Code != http.StatusOK || strings.Contains(body, "\u202e") || len(body) > 30_000 {
		t.Errorf("got status %d, %d bytes, want 200 and at most 30,000 bytes without the control character", hostile.Code, len(body))
	}
	g.lang = "en"
	g.want(g.get("/numbers?number=1007"), http.StatusOK, "ICE negotiation failed")
	g.cookies = nil
	if w := g.get("/numbers?number=1007"); w.Code != http.StatusSeeOther {
		t.Errorf("got status %d without a login, want %d", w.Code, http.StatusSeeOther)
	}
}

// TestNumberIsComparedWithTheCheck: the page shows whether the last check confirms a number, and
// shows the evidence.
func TestNumberIsComparedWithTheCheck(t *testing.T) {
	g := newRig(t).login()
	works, _ := g.checked("Anna", "", "M2W-8RT", microphone(nil), passage(), voice(0), internet(), bigBlueButton("", ""))
	fails, old := g.checked("Berta", "", "M2W-8RV", microphone(nil), passage(), voice(0), internet(), bigBlueButton(report.StepPath, "no_path"))
	none, _ := g.person("Cem", "")
	look := func(id, number string) string {
		t.Helper()
		w := g.get("/participants/" + id + "?number=" + number)
		g.want(w, http.StatusOK)
		body := w.Body.String()
		i := strings.Index(body, `id="number-answer"`)
		if i < 0 {
			t.Fatalf("got no answer in %s", body)
		}
		return body[i : i+strings.Index(body[i:], "</section>")]
	}
	for _, c := range []struct{ id, number, kind, word, evidence string }{
		{works.ID, "2022", "ok", "widerlegt", "direkt, UDP"},
		{works.ID, "1007", "unknown", "offen", "aus einem privaten Fenster"},
		{fails.ID, "1007", "fail", "bestätigt", "keine Verbindung für Ton gefunden"},
		{fails.ID, "1002", "ok", "widerlegt", "23\u00a0ms"},
		{works.ID, "1003", "unknown", "offen", "kann eine Prüfung nicht messen"},
		{none.ID, "1007", "unknown", "offen", "Es gibt noch keine Prüfung"},
	} {
		part := look(c.id, c.number)
		if !strings.Contains(part, "is-"+c.kind) || !strings.Contains(part, c.word) || !strings.Contains(part, c.evidence) {
			t.Errorf("%s: got %s, want kind %s, %q and %q", c.number, part, c.kind, c.word, c.evidence)
		}
	}
	if part := look(works.ID, "1004"); !strings.Contains(part, "Der Server hat die Version 3.0.4") {
		t.Errorf("got no version in %s", part)
	}
	if body := g.get("/participants/" + works.ID).Body.String(); strings.Contains(body, "number-answer") {
		t.Error("got an answer without a number")
	}
	g.pass(25 * time.Hour)
	g.login()
	if part := look(works.ID, "2022"); !strings.Contains(part, "zu lange her") || strings.Contains(part, "widerlegt") {
		t.Errorf("an old check is used: %s", part)
	}
	// If an earlier check is shown alone, only that check is used, also after another number was entered.
	alone := g.get("/participants/" + fails.ID + "/reports/" + old.ID + "?alone=1&number=1007")
	g.want(alone, http.StatusOK, `name="alone"`, "M2W-8RV")
}

// TestNameThatBreaksTheSound: the forms warn of it once and then accept it; the person's page
// shows it.
func TestNameThatBreaksTheSound(t *testing.T) {
	g := newRig(t).login()
	const name, other = `Hans "Hansi" Maier`, `Ortsrat::Nord`
	w := g.post("/participants", "name", name, "once", "k1")
	g.want(w, http.StatusConflict, `Im Namen steht „&#34;“.`, "Trotzdem hinzufügen", `name="odd" value="&#34;"`)
	g.want(g.post("/participants", "name", other, "once", "k1", "odd", `"`), http.StatusConflict, "Im Namen steht „::“.")
	g.want(g.post("/participants", "name", name, "once", "k1", "odd", `"`), http.StatusCreated)
	p, _ := g.person("Anna", "")
	g.want(g.post("/participants/"+p.ID+"/edit", "name", `a\b`), http.StatusConflict, "Trotzdem ändern")
	g.wantRedirect(g.post("/participants/"+p.ID+"/edit", "name", `a\b`, "odd", `\`), "/participants/"+p.ID)
	g.want(g.get("/participants/"+p.ID), http.StatusOK, `Im Namen steht „\“.`, "mit einfachem Namen neu beitreten")
	p, _ = g.person("Anna Rat: Nord/West", "")
	if body := g.get("/participants/" + p.ID).Body.String(); strings.Contains(body, "odd-name") {
		t.Error("got a warning for an ordinary name")
	}
}

// TestReportIsExplainedWithItsLimits: a report with a town's own profile is explained with the limits
// that it contains, even if the profile of that name has changed since.
func TestReportIsExplainedWithItsLimits(t *testing.T) {
	g := newRig(t).login()
	limits, err := diagnose.ParseProfile("rathaus", []byte("source = \"x\"\n[voice.up_loss_pct]\nwarn = 7\nsource = \"x\"\n[voice.loss_certain_pct]\nvalue = 2\nsource = \"x\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, agentID := g.person("Anna", "")
	r := newReport(t, agentID, "K7P-3QX", g.clock().Add(-time.Minute), microphone(nil), passage(), voice(9.5), internet())
	r.Profile, r.Limits = "rathaus", limits.Changed()
	r.Causes, r.Verdict = diagnose.Diagnose(r, limits)
	g.keep(p, r)
	w := g.get("/participants/" + p.ID)
	g.want(w, http.StatusOK, "Grenzwerte: rathaus (eigene, nach bbb)", "7 %")
	text, _ := diagnose.ExplainCauseBy(r.Causes[0], "de", limits)
	shipped, _ := diagnose.ExplainCause(r.Causes[0], "de")
	if text.Rule == shipped.Rule {
		t.Fatal("this cause does not depend on the profile")
	}
	g.want(w, http.StatusOK, text.Rule)
}
