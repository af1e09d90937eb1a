package web_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

// ownCode returns a code for the page about the participant of an agent.
func (g *rig) ownCode(agentID string) string {
	g.t.Helper()
	code, _, err := auth.NewOwnPageCode(g.t.Context(), g.store, rand.Reader, agentID, g.clock())
	if err != nil {
		g.t.Fatal(err)
	}
	return code
}

func TestOwnPage(t *testing.T) {
	g := newRig(t).login()
	anna, r := g.checked("Anna Beispiel", "0228 5550101", "K7P-3QX", microphone(muted), passage(), voice(9.5), internet())
	berta, other := g.checked("Berta Fremd", "0228 5550102", "M2W-8RT", microphone(nil))
	g.want(g.get("/participants/"+anna.ID), http.StatusOK)
	g.want(g.get("/participants/"+berta.ID), http.StatusOK)
	g.wantRedirect(g.post("/participants/"+anna.ID+"/reports/"+r.ID+"/case", "do", "note", "text", "<b>ruft zurück"), "/participants/"+anna.ID+"/reports/"+r.ID+"#case")

	// Neither the case code nor the session of staff opens it.
	g.want(g.get("/mine"), http.StatusOK, "tonprobe report mine", `action="/mine"`)
	g.want(g.post("/mine", "code", r.Case), http.StatusUnprocessableEntity, "Dieser Code gilt nicht")
	g.cookies = nil
	g.wantRedirect(g.get("/mine/export"), "/mine")
	code := g.ownCode(r.Agent.ID)
	g.wantRedirect(g.post("/mine", "code", strings.ToLower(strings.ReplaceAll(code, "-", " "))), "/mine")
	first := g.cookies
	g.cookies = nil
	g.want(g.post("/mine", "code", code), http.StatusUnprocessableEntity, "Dieser Code gilt nicht")
	g.cookies = first

	w := g.get("/mine")
	g.want(w, http.StatusOK, "Anna Beispiel", "0228 5550101", "K7P-3QX", "Ihr Mikrofon ist im Computer stummgeschaltet.", "Windows", staffName, "Seite der Person gelesen",
		"&lt;b&gt;ruft zurück", "eigene Seite geöffnet", "Sie selbst", "ohne Frist")
	for _, foreign := range []string{"Berta", "M2W-8RT", "5550102", berta.ID, `href="/participants`, "Abmelden"} {
		if strings.Contains(w.Body.String(), foreign) {
			t.Errorf("the page contains %q", foreign)
		}
	}
	g.lang = "en"
	g.want(g.get("/mine"), http.StatusOK, "My data", "read the page of a person", "own page opened")
	g.lang = "de"

	doc := g.get("/mine/reports/" + r.ID)
	if doc.Code != http.StatusOK || !strings.HasPrefix(doc.Header().Get("Content-Disposition"), "attachment") || !strings.Contains(doc.Body.String(), r.ID) {
		t.Errorf("document: got status %d, header %v; want 200 and report %s as an attachment", doc.Code, doc.Header(), r.ID)
	}
	g.want(g.get("/mine/reports/"+other.ID), http.StatusNotFound)
	archive := g.get("/mine/export").Body.Bytes()
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil || !slices.ContainsFunc(files.File, func(f *zip.File) bool { return f.Name == "reports/"+r.ID+".json" }) {
		t.Errorf("archive: got %v, error %v; want the report in it", files, err)
	}
	log, err := g.store.AuditEntries(t.Context(), store.AuditQuery{ParticipantID: anna.ID})
	if err != nil {
		t.Fatal(err)
	}
	var own []string
	for _, e := range log.Entries {
		if store.IsOwnAccess(e.Kind) {
			own = append(own, strings.TrimSpace(string(e.Kind)+" "+e.ReportID))
		}
	}
	slices.Sort(own)
	if want := []string{"own_page_downloaded", "own_page_downloaded " + r.ID, "own_page_opened"}; !slices.Equal(own, want) {
		t.Errorf("got entries %q, want %q", own, want)
	}

	g.wantRedirect(g.post("/mine/close"), "/mine")
	g.want(g.get("/mine"), http.StatusOK, `action="/mine"`)
	g.cookies = first // a copy of the cookie
	g.want(g.get("/mine"), http.StatusOK, `action="/mine"`)
	g.wantRedirect(g.post("/mine", "code", g.ownCode(r.Agent.ID)), "/mine")
	g.pass(auth.OwnPageVisitTTL)
	g.want(g.get("/mine"), http.StatusOK, `action="/mine"`)
	late := g.ownCode(r.Agent.ID)
	g.pass(auth.OwnPageCodeTTL)
	g.want(g.post("/mine", "code", late), http.StatusUnprocessableEntity)
	g.wantRedirect(g.post("/mine", "code", g.ownCode(r.Agent.ID)), "/mine")
	if err := g.store.RevokeAgent(t.Context(), r.Agent.ID, g.clock()); err != nil {
		t.Fatal(err)
	}
	g.want(g.get("/mine"), http.StatusOK, `action="/mine"`)
}

// TestOwnPageAgainstGuessing: wrong codes slow down their sender.
func TestOwnPageAgainstGuessing(t *testing.T) {
	g := newRig(t)
	_, agentID := g.person("Anna", "")
	for i := range 10 {
		g.want(g.post("/mine", "code", fmt.Sprintf("0000-0000-00%02d", i)), http.StatusUnprocessableEntity)
	}
	w := g.post("/mine", "code", g.ownCode(agentID))
	g.want(w, http.StatusTooManyRequests, "Zu viele Versuche")
	if w.Header().Get("Retry-After") != "30" {
		t.Errorf("got Retry-After %q, want 30", w.Header().Get("Retry-After"))
	}
	g.pass(30 * time.Second)
	g.wantRedirect(g.post("/mine", "code", g.ownCode(agentID)), "/mine")
}

// TestOwnPageOfAnActivePerson: with many checks, notes and accesses, the page stays small and leads to
// the rest.
func TestOwnPageOfAnActivePerson(t *testing.T) {
	g := newRig(t)
	p, agentID := g.person("Anna", "")
	for i := range 45 {
		g.pass(time.Minute)
		r := newReport(t, agentID, "K7P-3QX", g.clock(), microphone(muted), passage(), router(), detours(), voice(9.5), internet(), wifi())
		g.keep(p, r)
		for n := range 15 {
			_, err := g.store.AddCaseEntry(t.Context(), r.ID, store.CaseEntry{At: g.clock(), By: "eva", Kind: store.CaseNoted, Text: fmt.Sprintf("Notiz %d: ruft später noch einmal an, Mikrofon lag im Auto", n)})
			if err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			err := g.store.AddAuditEntry(t.Context(), store.AuditEntry{ID: uuid.Must(uuid.NewV7()).String(), At: g.clock(), StaffName: fmt.Sprintf("eva.supporter.%d@stadt.example", i), Role: store.RoleSupport,
				Kind: store.AuditParticipantRead, ParticipantID: p.ID, ReportID: r.ID})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	g.wantRedirect(g.post("/mine", "code", g.ownCode(agentID)), "/mine")
	seen := 0
	for address := "/mine"; address != ""; {
		w := g.get(address)
		g.want(w, http.StatusOK, "Weitere Einträge in der zip-Datei: 5", "Ältere Zugriffe stehen in der zip-Datei")
		body := w.Body.String()
		seen += strings.Count(body, `class="own-check"`)
		_, rest, more := strings.Cut(body, `rel="next" href="`)
		address = ""
		if more {
			address, _, _ = strings.Cut(rest, `"`)
		}
		if w.Body.Len() > 100<<10 {
			t.Errorf("got %d bytes, want less than 100 KiB", w.Body.Len())
		}
	}
	if seen != 45 {
		t.Errorf("got %d checks on all pages, want 45", seen)
	}
	g.want(g.get("/mine?after=nonsense"), http.StatusOK, "Anna")
}
