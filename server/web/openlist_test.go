package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

var reRevision = regexp.MustCompile(`data-revision="([^"]*)"`)

// TestOpenListGetsOnlyTheChangedRow: the size of the response does not depend on the list.
func TestOpenListGetsOnlyTheChangedRow(t *testing.T) {
	g := newRig(t).login()
	for i := range 1500 {
		p := store.Participant{ID: uuid.NewString(), Name: fmt.Sprintf("Person %04d", i), CreatedAt: g.clock()}
		if err := g.store.AddParticipant(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	p, first := g.checked("Anna Muster", "", "A1B-2C3", microphone(nil), passage(), voice(0), internet())
	for _, query := range []string{"", "rows=all", "rows=all&sort=name", "q=muster"} {
		revision := reRevision.FindStringSubmatch(g.get("/?" + query).Body.String())[1]
		g.keep(p, newReport(t, first.Agent.ID, "K7P-3QX", g.clock(), microphone(muted), passage(), voice(0), internet()))
		w := g.get("/changes?since=" + revision + "&" + query)
		var answer struct {
			Whole bool
			Gone  []string
			Rows  []struct{ ID, HTML string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		if w.Code != http.StatusOK || answer.Whole || len(answer.Gone) > 0 || len(answer.Rows) != 1 || answer.Rows[0].ID != "p-"+p.ID || !strings.Contains(answer.Rows[0].HTML, "K7P-3QX") {
			t.Errorf("%q: got status %d, %.300s; want 200 with the changed row only", query, w.Code, w.Body)
		}
		if n := w.Body.Len(); n > 4<<10 {
			t.Errorf("%q: got %d bytes for one row, want at most 4096", query, n)
		}
	}
}

func TestListLoadsCompletelyAfterALongDisconnect(t *testing.T) {
	g := newRig(t).login()
	councilOf(g)
	for _, since := range []string{"", "unknown", strings.Repeat("A", 3000)} {
		if got := strings.TrimSpace(g.get("/changes?since=" + since).Body.String()); got != `{"whole":true}` {
			t.Errorf("since %.20q: got %s; want %q", since, got, `{"whole":true}`)
		}
	}
}
