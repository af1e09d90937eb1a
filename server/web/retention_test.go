package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

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
