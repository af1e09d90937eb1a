package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/web"
)

// unaudited are the routes of staff without an entry in the audit log: forms, pages without the name of
// a participant, the list of all participants, and what a recorded page requests by itself.
var unaudited = []string{
	"GET /{$}", "GET /changes", "GET /events", "GET /participants/{id}/retest", "GET /sessions", "GET /cases", "GET /disturbances",
	"GET /participants/new", "GET /letters", "GET /participants/{id}/edit", "GET /participants/{id}/delete", "GET /participants/{id}/computers/{agent}/revoke", "GET /participants/{id}/computers/{agent}/shutout",
	"GET /numbers", "GET /causes", "GET /account", "GET /account/code", "POST /account/code", "GET /password",
	"GET /audit", "GET /staff", "GET /staff/member", "GET /alerts",
	"POST /alerts/test", // sends a text without data
}

func TestEveryRouteIsAuditedOrNot(t *testing.T) {
	for pattern, may := range rights {
		audited := web.AuditKind(pattern) != ""
		if want := may != everybody && !slices.Contains(unaudited, pattern); audited != want {
			t.Errorf("%s: got audited %v, want %v", pattern, audited, want)
		}
		if audited && !store.IsAuditKind(string(web.AuditKind(pattern))) {
			t.Errorf("%s: the kind %q is not in the list", pattern, web.AuditKind(pattern))
		}
	}
}

// entries returns the audit log as "kind participant report subject", the oldest first.
func (g *rig) entries() (all []string) {
	g.t.Helper()
	page, err := g.store.AuditEntries(g.t.Context(), store.AuditQuery{Limit: store.MaxPage})
	if err != nil {
		g.t.Fatal(err)
	}
	for _, e := range page.Entries {
		all = append(all, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s %s", e.StaffName, e.Kind, e.ParticipantID, e.ReportID, e.Subject)), " "))
		if e.At.IsZero() || e.Network == "" || e.Role != store.RoleAdministrator {
			g.t.Errorf("got %+v; want a time, a network and the role", e)
		}
	}
	slices.Reverse(all)
	return all
}

func (g *rig) wantEntries(want ...string) {
	g.t.Helper()
	if got := g.entries(); !slices.Equal(got, want) {
		g.t.Errorf("got entries\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAuditLog(t *testing.T) {
	g := newRig(t)
	p, r := g.checked("Erika Beispiel", "", "K7P-3QX", microphone(nil))
	next := func() { g.pass(time.Second) }
	g.post("/login", "name", staffName, "password", "wrong")
	g.post("/login", "name", "nobody", "password", "wrong")
	next()
	g.login()
	page := "/participants/" + p.ID
	for _, step := range []func(){
		func() { g.want(g.get("/"), http.StatusOK) },
		func() { g.want(g.get(page), http.StatusOK) },
		func() { g.want(g.get(page), http.StatusOK) }, // the open page reloads itself
		func() { g.want(g.get("/participants/"+uuid.NewString()), http.StatusNotFound) },
		func() { g.want(g.get(page+"/reports/"+r.ID), http.StatusOK) },
		func() { g.want(g.get(page+"/reports/"+r.ID+"/document"), http.StatusOK) },
		func() {
			g.want(g.post(page+"/reports/"+r.ID+"/case", "do", "note", "text", ""), http.StatusUnprocessableEntity)
		},
		func() { g.wantRedirect(g.post(page+"/block"), page) },
		func() { g.wantRedirect(g.post(page+"/unblock"), page) },
		func() { g.want(g.post(page+"/code", "once", "x"), http.StatusCreated) },
		func() { g.want(g.post("/staff", "name", "berta", "role", "lead"), http.StatusCreated) },
		func() {
			g.wantRedirect(g.post("/staff/role", "name", "berta", "role", "auditor"), "/staff/member?name=berta")
		},
		func() { g.want(g.post("/staff/role", "name", "nobody", "role", "auditor"), http.StatusNotFound) },
		func() { g.want(g.get("/audit"), http.StatusOK) },
		func() { g.want(g.get("/audit.csv"), http.StatusOK) },
		func() { g.wantRedirect(g.post(page+"/delete"), "/?done=deleted") },
		func() { g.wantRedirect(g.post("/logout"), "/login") },
	} {
		next()
		step()
	}
	// Everything about the person keeps a pseudonym only, also the entry about the deletion itself.
	erased, err := g.store.Tombstones(t.Context())
	if err != nil || len(erased.Keys) != 1 {
		t.Fatalf("got tombstones %+v, error %v; want one key", erased, err)
	}
	p.ID = store.Pseudonym(store.TombstoneOf(erased.Keys[0], store.TombstoneParticipant, p.ID))
	g.wantEntries(
		"support sign_in_failed 192.0.2.0/24",
		"support signed_in",
		"support participant_read "+p.ID,
		"support document_read "+p.ID,
		"support participant_blocked "+p.ID,
		"support participant_unblocked "+p.ID,
		"support code_created "+p.ID,
		"support staff_invited berta",
		"support staff_role berta: auditor",
		"support exported",
		"support participant_deleted "+p.ID,
		"support signed_out",
	)
	g.login()
	g.want(g.get("/audit"), http.StatusOK, "Seite der Person gelesen", "(gelöschte Person)", "Konto: Rolle geändert", "<bdi>berta: Prüfung</bdi>", "192.0.2.0/24", "Administration")
}

func TestAddingPeopleIsAudited(t *testing.T) {
	g := newRig(t).login()
	g.want(g.post("/participants", "name", "Erika Beispiel", "once", "x"), http.StatusCreated)
	page, err := g.store.ParticipantStates(t.Context(), store.StateQuery{})
	if err != nil || len(page.States) != 1 {
		t.Fatalf("got %+v, error %v; want one participant", page, err)
	}
	g.wantEntries("support signed_in", "support participant_added "+page.States[0].ID)
}

func TestReadingAgainLaterIsAnotherEntry(t *testing.T) {
	g := newRig(t).login()
	p, _ := g.checked("Erika Beispiel", "", "K7P-3QX", microphone(nil))
	for range 5 {
		g.want(g.get("/participants/"+p.ID), http.StatusOK)
		g.pass(5 * time.Minute)
	}
	n := 0
	for _, e := range g.entries() {
		if strings.Contains(e, "participant_read") {
			n++
		}
	}
	if n != 3 {
		t.Errorf("got %d entries for 20 minutes of reading, want 3", n)
	}
}

func TestSelectingFromTheAuditLog(t *testing.T) {
	g := newRig(t).login()
	add := func(at time.Time, who string, kind store.AuditKind, participant, subject string) {
		t.Helper()
		if err := g.store.AddAuditEntry(t.Context(), store.AuditEntry{ID: uuid.Must(uuid.NewV7()).String(), At: at, StaffName: who, Kind: kind,
			ParticipantID: participant, Subject: subject}); err != nil {
			t.Fatal(err)
		}
	}
	day := time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)
	p, _ := g.person("Erika Beispiel", "")
	add(day, "<script>x</script>", store.AuditStaffRole, "", "=HYPERLINK(1)")
	add(day.AddDate(0, 0, 1), "berta", store.AuditParticipantRead, p.ID, "")
	add(day.AddDate(0, 0, 2), "", "of_a_newer_version", "", "")
	add(day.AddDate(0, 0, 3), "berta", store.AuditRetest, p.ID, "")
	for form, want := range map[string][]bool{ // which of the four
		"":                                  {true, true, true, true},
		"?staff=berta":                      {false, true, false, true},
		"?staff=%3Cscript%3Ex%3C/script%3E": {true, false, false, false},
		"?kind=staff_role":                  {true, false, false, false},
		"?kind=nonsense":                    {true, true, true, true},
		"?participant=" + p.ID:              {false, true, false, true},
		"?from=2026-02-02&to=2026-02-03":    {false, true, true, false},
		"?from=yesterday&to=%00":            {true, true, true, true},
		"?after=nonsense":                   {true, true, true, true},
		"?staff=berta&kind=retest&participant=" + p.ID + "&from=2026-02-04&to=2026-02-04": {false, false, false, true},
	} {
		w := g.get("/audit" + form)
		g.want(w, http.StatusOK, "Protokoll")
		_, table, _ := strings.Cut(w.Body.String(), "<tbody>")
		for i, part := range []string{"HYPERLINK", "Seite der Person gelesen", "of_a_newer_version", "neue Prüfung angefordert"} {
			if got := strings.Contains(table, part); got != want[i] {
				t.Errorf("%q: got %q %v, want %v", form, part, got, want[i])
			}
		}
		csv := g.get("/audit.csv" + form)
		if h := csv.Header(); csv.Code != http.StatusOK || !strings.HasPrefix(h.Get("Content-Type"), "text/csv") || !strings.Contains(h.Get("Content-Disposition"), "audit.csv") {
			t.Errorf("%q: got status %d, headers %v; want 200 and audit.csv as CSV", form, csv.Code, h)
		}
		for i, part := range []string{"'=HYPERLINK", ";participant_read;" + p.ID, "of_a_newer_version", ";retest;"} {
			if got := strings.Contains(csv.Body.String(), part); got != want[i] {
				t.Errorf("%q as a table: got %q %v, want %v", form, part, got, want[i])
			}
		}
	}
	for range store.DefaultPage {
		add(day, "clara", store.AuditSignedIn, "", "")
	}
	first := g.get("/audit?staff=clara")
	if strings.Contains(first.Body.String(), `rel="next"`) {
		t.Error("a full page offers another one")
	}
	add(day, "clara", store.AuditSignedIn, "", "")
	g.want(g.get("/audit?staff=clara"), http.StatusOK, `rel="next" href="/audit?after=`)
	add(day, "", store.AuditAPITokenUsed, "", "statistik")
	g.want(g.get("/audit?kind=api_token_used"), http.StatusOK, "Programm mit Zugangsschlüssel", "statistik")
}

// brokenLog is a store whose audit log cannot be written.
type brokenLog struct {
	web.Store
	broken *bool
}

var errDisk = errors.New("disk full")

func (b brokenLog) AddAuditEntry(ctx context.Context, e store.AuditEntry) error {
	if *b.broken {
		return errDisk
	}
	return b.Store.AddAuditEntry(ctx, e)
}

// TestNobodyReadsWithoutAnEntry: if the audit log cannot be written, pages about people are not shown,
// signing in fails, and the error page contains nothing about a participant.
func TestNobodyReadsWithoutAnEntry(t *testing.T) {
	broken := false
	g := newRig(t, func(c *web.Config) { c.Store = brokenLog{c.Store, &broken} }).login()
	p, r := g.checked("Erika Beispiel", "", "K7P-3QX", microphone(nil))
	broken = true
	for _, address := range []string{"/participants/" + p.ID, "/participants/" + p.ID + "/reports/" + r.ID, "/participants/" + p.ID + "/reports/" + r.ID + "/document", "/audit.csv"} {
		w := g.get(address)
		g.want(w, http.StatusInternalServerError, "Der Fehler liegt bei uns")
		if strings.Contains(w.Body.String(), "Erika") || strings.Contains(w.Body.String(), "K7P-3QX") || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("%s: got headers %v: %s\nwant neither the person nor a download", address, w.Header(), w.Body)
		}
	}
	g.want(g.get("/causes"), http.StatusOK)
	g.cookies = nil
	g.want(g.post("/login", "name", staffName, "password", staffPassword), http.StatusInternalServerError)
	if len(g.cookies) != 0 {
		t.Errorf("got cookies %v, want none", g.cookies)
	}
	broken = false
	g.login()
	g.want(g.get("/participants/"+p.ID), http.StatusOK, "Erika") // the failed attempts do not count as an entry
	n := 0
	for _, e := range g.entries() {
		if strings.Contains(e, "participant_read") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("got %d entries, want 1", n)
	}
}
