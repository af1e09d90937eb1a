package web_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/privacy"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/web"
)

func TestAuditPageSaysWhatIsDeleted(t *testing.T) {
	g := newRig(t, func(c *web.Config) {
		c.Keep = map[store.DataClass]time.Duration{store.ReportData: 180 * 24 * time.Hour, store.AuditData: 365 * 24 * time.Hour, store.ExpiredData: 0}
	}).login()
	g.want(g.get("/audit"), http.StatusOK, "Löschfristen", "180 Tagen", "365 Tagen", "Ablauf", "nie: keine Frist eingestellt", "noch nie", "noch nichts")
	for class, deleted := range map[store.DataClass]int{store.ReportData: 12, store.AuditData: 1} {
		if err := g.store.AddRetentionRun(t.Context(), class, g.clock(), deleted); err != nil {
			t.Fatal(err)
		}
	}
	if body := g.get("/audit").Body.String(); strings.Contains(body, "überfällig") {
		t.Error("a deletion of this moment is overdue")
	}
	g.want(g.get("/audit"), http.StatusOK, ": 12 Einträge", ": 1 Eintrag<")
	g.pass(25 * time.Hour)
	g.login()
	g.want(g.get("/audit"), http.StatusOK, ": 12 Einträge", "überfällig")
	g.lang = "en"
	g.want(g.get("/audit"), http.StatusOK, "Retention", "12 entries", "overdue")
}

// TestAuditPageNamesCopiesOfTheDatabase: they contain erased people, and only a person deletes them.
func TestAuditPageNamesCopiesOfTheDatabase(t *testing.T) {
	var copies []privacy.Copy
	var unreadable error
	g := newRig(t, func(c *web.Config) { c.Copies = func() ([]privacy.Copy, error) { return copies, unreadable } }).login()
	if body := g.get("/audit").Body.String(); strings.Contains(body, "Kopien der Datenbank") {
		t.Error("the page names copies where there is none")
	}
	copies = []privacy.Copy{{Name: "collector.db.before-x"}, {Name: "collector.db.version-5-y", MadeAt: g.clock().Add(-72 * time.Hour)}, {Name: "z", MadeAt: g.clock()}}
	midnight := g.clock().Truncate(24 * time.Hour)
	copies = append(copies, privacy.Copy{Name: "last night", MadeAt: midnight.Add(-time.Minute)}, privacy.Copy{Name: "this night", MadeAt: midnight})
	g.want(g.get("/audit"), http.StatusOK, "collector.db.before-x", "collector.db.version-5-y", "3 Tage", "von heute", "<td>1 Tag</td>", "tonprobe-collector copies remove all")
	if body := g.get("/audit").Body.String(); strings.Count(body, "von heute") != 2 {
		t.Error("got another number of copies made today, want 2")
	}
	copies, unreadable = nil, errors.New("permission denied")
	g.want(g.get("/audit"), http.StatusOK, "Kopien der Datenbank", "ist unbekannt")
}

// TestDeletionsInTheAuditLog: a deletion by age is one of the collector, in words.
func TestDeletionsInTheAuditLog(t *testing.T) {
	g := newRig(t).login()
	for _, subject := range []string{store.AgeDeletion(store.PeopleData, 1), store.AgeDeletion(store.ReportData, 4321), "of_a_newer_version: 7"} {
		e := store.AuditEntry{ID: uuid.Must(uuid.NewV7()).String(), At: g.clock(), Kind: store.AuditDeletedByAge, Subject: subject}
		if err := g.store.AddAuditEntry(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	g.want(g.get("/audit?kind=deleted_by_age"), http.StatusOK, "<bdi>der Server, von selbst</bdi></td><td>Alte Daten gelöscht</td>", "Personen ohne Gremium", ": 1 Eintrag</bdi>",
		"Berichte mit ihren Fällen (der neueste je Person bleibt): 4321 Einträge</bdi>", "<bdi>of_a_newer_version: 7</bdi>")
}
