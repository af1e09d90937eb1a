package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/store"
)

// as returns the same pages for another member of staff.
func (g *rig) as(name string) *rig {
	g.t.Helper()
	if err := g.auth.AddStaff(g.t.Context(), name, store.RoleSupport, staffPassword); err != nil {
		g.t.Fatal(err)
	}
	other := &rig{t: g.t, store: g.store, auth: g.auth, live: g.live, enroller: g.enroller, handler: g.handler, log: g.log, lang: g.lang, now: g.clock()}
	g.wantRedirect(other.post("/login", "name", name, "password", staffPassword), "/")
	return other
}

func TestACaseIsTakenAndClosedWithItsCause(t *testing.T) {
	g := newRig(t).login()
	p, r := g.checked("Berta Muted", "", "M2W-8RT", microphone(muted), passage(), voice(0), internet())
	page := "/participants/" + p.ID + "/reports/" + r.ID
	action, back := page+"/case", page+"#case"
	g.want(g.get(page), http.StatusOK, "Fall <code", "Offen", "Fall übernehmen", "Die genannte Ursache stimmt", "Es war etwas anderes")
	g.wantRedirect(g.post(action, "do", "take", "from", ""), back)
	g.want(g.get(page), http.StatusOK, "Übernommen", "<bdi>support</bdi>", "Fall abgeben")
	g.want(g.get("/participants/"+p.ID), http.StatusOK, "Übernommen: support") // in the history

	max := g.as("Max")
	max.want(max.get(page), http.StatusOK, "Von support übernehmen")
	w := max.post(action, "do", "take", "from", "")
	max.want(w, http.StatusConflict, "support hat den Fall inzwischen übernommen", "Von support übernehmen")
	if strings.Contains(w.Body.String(), "data-stream") {
		t.Error("the page at the address of a form would send the form again")
	}
	max.want(max.post(action, "do", "close", "from", "", "cause", "audio.os_muted"), http.StatusConflict, "support hat den Fall inzwischen übernommen")
	max.wantRedirect(max.post(action, "do", "note", "text", "  ruft   später\nzurück "), back)
	max.wantRedirect(max.post(action, "do", "take", "from", "support"), back)

	g.want(g.post(action, "do", "close", "cause", "audio.in_use"), http.StatusConflict, "Max hat den Fall inzwischen übernommen")
	max.want(max.post(action, "do", "close"), http.StatusUnprocessableEntity, "Bitte wählen Sie die Ursache")
	max.want(max.post(action, "do", "close", "cause", "x.y", "text", "bleibt stehen"), http.StatusUnprocessableEntity, "Bitte wählen Sie die Ursache", `value="bleibt stehen"`)
	max.want(max.post(action, "do", "close", "cause", "other"), http.StatusUnprocessableEntity, "Bitte beschreiben Sie die Ursache")
	max.wantRedirect(max.post(action, "do", "close", "cause", "audio.in_use", "text", "Zoom war offen"), back)
	g.want(g.get(page), http.StatusOK, "Geschlossen", "Das war die Ursache:", "Zoom war offen", "ruft später zurück", "Wieder öffnen")
	// If a colleague has closed the case in the meantime, the typed text is kept, as a note.
	g.want(g.post(action, "do", "close", "cause", "audio.os_muted", "text", "Stecker war lose"), http.StatusConflict, "Max hat den Fall inzwischen geschlossen", `accesskey="n" value="Stecker war lose"`)
	max.wantRedirect(max.post(action, "do", "close", "cause", "audio.in_use"), back) // twice
	g.want(g.post(action, "do", "close", "cause", "audio.os_muted"), http.StatusConflict, "Max hat den Fall inzwischen geschlossen")
	g.want(g.get("/causes"), http.StatusOK, "Geschlossene Fälle: 1", "audio.os_muted", "1 × ", "0 %", "wenige Fälle")
	g.wantRedirect(g.post(action, "do", "reopen"), back)
	g.wantRedirect(g.post(action, "do", "reopen"), back) // twice
	max.want(max.post(action, "do", "reopen"), http.StatusConflict, "support hat den Fall inzwischen übernommen")
	g.want(g.get("/causes"), http.StatusOK, "Noch ist kein Fall geschlossen")
	g.wantRedirect(g.post(action, "do", "release"), back)
	g.lang = "en"
	g.want(g.get(page), http.StatusOK, "Take the case", "The named cause was right", "reopened", "released")
}

func TestBadInputToACase(t *testing.T) {
	g := newRig(t).login()
	p, r := g.checked("Berta", "", "M2W-8RT", microphone(muted), passage(), voice(0))
	other, _ := g.checked("Anna", "", "A1B-2C3", microphone(nil))
	page := "/participants/" + p.ID + "/reports/" + r.ID
	action := page + "/case"
	g.want(g.post("/participants/"+other.ID+"/reports/"+r.ID+"/case", "do", "take"), http.StatusNotFound)
	g.want(g.post("/participants/"+p.ID+"/reports/none/case", "do", "take"), http.StatusNotFound)
	g.want(g.post(action, "do", "explode"), http.StatusBadRequest)
	g.want(g.post(action), http.StatusBadRequest)
	g.want(g.post(action, "do", "note", "text", " \t "), http.StatusUnprocessableEntity, "Bitte schreiben Sie zuerst eine Notiz")
	g.want(g.post(action, "do", "note", "text", strings.Repeat("ä", 501)), http.StatusUnprocessableEntity, "Das ist zu lang. Möglich sind 500 Zeichen.", strings.Repeat("ä", 501))
	g.want(g.post(action, "do", "note", "text", strings.Repeat("x", 10<<20)), http.StatusRequestEntityTooLarge)
	g.want(g.get(action), http.StatusMethodNotAllowed)
	for _, text := range hostile {
		w := g.post(action, "do", "note", "text", text[:min(len(text), 900)], "from", text[:min(len(text), 900)])
		if w.Code != http.StatusSeeOther && w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%.40q: got status %d, want 303 or 422", text, w.Code)
		}
		g.post(action, "do", "close", "cause", text[:min(len(text), 900)], "text", text[:min(len(text), 900)])
	}
	body := g.get(page).Body.String()
	if strings.Contains(body, "<img") || strings.Contains(body, "<b>") || strings.ContainsAny(body, "\u202e\u0000\u001b\u200b") || !strings.Contains(body, "&lt;script&gt;") {
		t.Error("a hostile note is not shown as text")
	}
	for i := range store.MaxCaseNotes {
		g.post(action, "do", "note", "text", fmt.Sprint(i, strings.Repeat(" Sehr lange Notiz.", 27)))
	}
	w := g.post(action, "do", "note", "text", "eine zu viel")
	g.want(w, http.StatusUnprocessableEntity, "Dieser Fall hat schon 200 Notizen", `value="eine zu viel"`)
}

// TestANoteThatIsSentTwice: the note is stored once.
func TestANoteThatIsSentTwice(t *testing.T) {
	g := newRig(t).login()
	p, r := g.checked("Berta", "", "M2W-8RT", microphone(muted), passage(), voice(0))
	page := "/participants/" + p.ID + "/reports/" + r.ID
	for _, want := range []int{1, 1, 2} {
		g.wantRedirect(g.post(page+"/case", "do", "note", "text", "ruft zurück"), page+"#case")
		if n := strings.Count(g.get(page).Body.String(), `<bdi class="text">ruft zurück</bdi>`); n != want {
			t.Errorf("the note is there %d times, want %d", n, want)
		}
		if want == 1 {
			g.pass(6 * time.Second) // 12 seconds after the first
		}
	}
}

// TestACaseEndsWithItsReport: the page states that the report was deleted; the counts remain.
func TestACaseEndsWithItsReport(t *testing.T) {
	g := newRig(t).login()
	p, r := g.checked("Berta", "", "M2W-8RT", microphone(muted), passage(), voice(0))
	action := "/participants/" + p.ID + "/reports/" + r.ID + "/case"
	g.wantRedirect(g.post(action, "do", "close", "cause", "audio.os_muted"), "/participants/"+p.ID+"/reports/"+r.ID+"#case")
	g.pass(time.Minute)
	g.keep(p, newReport(t, r.Agent.ID, "M2W-8RV", g.clock(), microphone(nil), passage(), voice(0), internet()))
	if n, err := g.store.DeleteReports(t.Context(), g.clock().AddDate(0, 0, 1), 10); err != nil || n != 1 {
		t.Fatalf("got %d deleted, error %v; want 1", n, err)
	}
	g.want(g.get("/participants/"+p.ID+"/reports/"+r.ID), http.StatusNotFound)
	g.want(g.post(action, "do", "reopen"), http.StatusNotFound)
	g.want(g.get("/participants/"+p.ID), http.StatusOK, "M2W-8RV", "Offen")
	g.want(g.get("/causes?days=30"), http.StatusOK, "Geschlossene Fälle: 1", "100 %")
	g.wantRedirect(g.post("/participants/"+p.ID+"/delete"), "/?done=deleted")
	g.want(g.post(action, "do", "note", "text", "x"), http.StatusNotFound)
	g.want(g.get("/causes?days=nonsense"), http.StatusOK, "Geschlossene Fälle: 1")
}

// TestAFormAboutACaseLeadsBack: the page with the reason why an input was not stored has the address of
// the form, which accepts only POST, so its links must have the address of the case.
func TestAFormAboutACaseLeadsBack(t *testing.T) {
	g := newRig(t).login()
	p, r := g.checked("Berta", "", "M2W-8RT", microphone(muted), passage(), voice(0))
	page := "/participants/" + p.ID + "/reports/" + r.ID
	w := g.post(page+"/case", "do", "note", "text", "")
	g.want(w, http.StatusUnprocessableEntity, `name="back" value="`+page+`"`, `class="number-form" method="get" action="`+page+`"`)
	g.want(g.get(page+"?number=1007"), http.StatusOK, "1007")
	g.wantRedirect(g.post("/language", "lang", "en", "back", page), page)
}

// TestTheTakenCaseStaysAfterARetest: the page keeps showing the case whose code was read out.
func TestTheTakenCaseStaysAfterARetest(t *testing.T) {
	g := newRig(t).login()
	p, r := g.checked("Berta", "", "M2W-8RT", microphone(muted), passage(), voice(0))
	first := "/participants/" + p.ID + "/reports/" + r.ID
	g.wantRedirect(g.post(first+"/case", "do", "take"), first+"#case")
	g.pass(time.Minute)
	g.keep(p, newReport(t, r.Agent.ID, "M2W-8RV", g.clock(), microphone(nil), passage(), voice(0), internet()))
	g.want(g.get("/participants/"+p.ID), http.StatusOK, `action="`+first+`/case"`, "Man wird Sie hören")
	g.wantRedirect(g.post(first+"/case", "do", "close", "cause", "audio.os_muted"), first+"#case")
	if body := g.get("/participants/" + p.ID).Body.String(); strings.Contains(body, `action="`+first+`/case"`) {
		t.Error("a closed case hides the new one")
	}
}

// TestATakenCaseOfOthersIsALink: the page of a participant does not show a case that somebody else has
// taken, or one that was taken long ago, instead of the latest check: staff would close the wrong case.
func TestATakenCaseOfOthersIsALink(t *testing.T) {
	g := newRig(t).login()
	p, r := g.checked("Berta", "", "M2W-8RT", microphone(muted), passage(), voice(0))
	first := "/participants/" + p.ID + "/reports/" + r.ID
	g.wantRedirect(g.post(first+"/case", "do", "take"), first+"#case")
	if strings.Contains(g.get("/participants/"+p.ID).Body.String(), "Noch offen:") {
		t.Error("the case that the page is about is called one besides")
	}
	g.pass(time.Minute)
	again := newReport(t, r.Agent.ID, "M2W-8RV", g.clock(), microphone(nil), passage(), voice(0), internet())
	g.keep(p, again)
	second := "/participants/" + p.ID + "/reports/" + again.ID
	link := `<a href="` + first + `#case"><code class="case">M2W-8RT</code></a> <bdi>support</bdi>`
	linked := func(g *rig) {
		t.Helper()
		w := g.get("/participants/" + p.ID)
		g.want(w, http.StatusOK, "Noch offen:", link, `action="`+second+`/case"`)
		if strings.Contains(w.Body.String(), `action="`+first+`/case"`) {
			t.Error("the page is about the case of somebody else, or an old one")
		}
	}
	linked(g.as("Max"))
	own := g.get("/participants/" + p.ID)
	g.want(own, http.StatusOK, `action="`+first+`/case"`)
	if strings.Contains(own.Body.String(), "Noch offen:") {
		t.Error("its own case is there twice")
	}
	g.want(g.get(second), http.StatusOK, "Noch offen:", link) // opened by another code
	g.pass(24*time.Hour - time.Minute)
	g.login()
	g.want(g.get("/participants/"+p.ID), http.StatusOK, `action="`+first+`/case"`)
	g.pass(time.Millisecond)
	linked(g)
	g.lang = "en"
	g.want(g.get("/participants/"+p.ID), http.StatusOK, "Still open:")
}

func TestTruthTellsUnknownApart(t *testing.T) {
	g := newRig(t).login()
	close := func(cause string, n int, probe report.Result) {
		for range n {
			p, r := g.checked("Anna", "", "A1B-2C3", probe, passage(), voice(0), internet())
			g.post("/participants/"+p.ID+"/reports/"+r.ID+"/case", "do", "close", "cause", cause, "text", "x")
		}
	}
	close("audio.os_muted", 9, microphone(muted))
	close("fleet.server_side", 1, microphone(muted))
	close("unknown", 2, microphone(muted))
	close("unknown", 1, microphone(nil))
	page := plain(g.get("/causes").Body.String())
	for _, want := range []string{"Geschlossene Fälle: 13", "audio.os_muted 12 9 1 1 × Der Server hatte eine Störung, die viele betraf. 2 90 % (wahrscheinlich zwischen 60 % und 98 %)",
		"Es wurde keine Ursache genannt. 1 0 0 1 ? noch unbekannt"} {
		if !strings.Contains(page, want) {
			t.Errorf("got no %q in %s", want, page)
		}
	}
}

// TestEveryCommonCauseCanBeTheTrueOne: a case can be closed with each common cause that the page can show.
func TestEveryCommonCauseCanBeTheTrueOne(t *testing.T) {
	g := newRig(t).login()
	for _, code := range []string{fleet.CodeServer, fleet.CodeProvider, fleet.CodeSite, fleet.CodeVersion} {
		p, r := g.checked("Berta", "", "M2W-8RT", microphone(muted), passage(), voice(0))
		page := "/participants/" + p.ID + "/reports/" + r.ID
		g.want(g.get(page), http.StatusOK, `<option value="`+code+`">`)
		g.wantRedirect(g.post(page+"/case", "do", "close", "cause", code), page+"#case")
	}
}
