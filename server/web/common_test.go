package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/web"
)

// TestCommonCause follows a common cause on the list, on the page of an affected
// participant and of another one, and until it is over.
func TestCommonCause(t *testing.T) {
	var findings []fleet.Finding
	g := newRig(t, func(c *web.Config) { c.Common = func() []fleet.Finding { return findings } })
	g.login()
	one, _ := g.person("Anna Amsel", "")
	two, _ := g.person("Bert Bussard", "")
	affected, other := one.ID, two.ID
	quiet := g.get("/").Body.String()
	if !strings.Contains(quiet, `id="common" class="common" aria-label="Gemeinsame Ursache" hidden`) {
		t.Errorf("the list without a common cause has no hidden element for one: %s", quiet)
	}
	findings = []fleet.Finding{{Code: fleet.CodeProvider, Key: "AS64500 <Netz>", Affected: []string{affected, "x", "y"}, Members: 4, ElsewhereMembers: 20,
		UsualPct: 6.2, From: g.clock().Add(-15 * time.Minute), To: g.clock()}}
	for address, want := range map[string]bool{"/": true, "/participants/" + affected: true, "/participants/" + other: false} {
		body := g.get(address).Body.String()
		if got := strings.Contains(body, "der Internetanbieter AS64500 &lt;Netz&gt;"); got != want {
			t.Errorf("%s: got provider shown %v, want %v", address, got, want)
		}
		if got := strings.Contains(body, "Betroffen: 3 von 4 Geprüften dort, 0 von 20 anderswo. Üblich: 6 %. Prüfungen seit 17:45 Uhr."); got != want {
			t.Errorf("%s: got evidence shown %v, want %v", address, got, want)
		}
	}
	w := g.get("/changes?since=" + attribute(t, quiet, "data-revision"))
	var answer struct {
		Whole bool
		Parts []struct{ ID, HTML string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("changes: got status %d, error %v: %s, want 200", w.Code, err, w.Body)
	}
	if answer.Whole || len(answer.Parts) != 1 || answer.Parts[0].ID != "common" || !strings.Contains(answer.Parts[0].HTML, "Betroffen: 3 von 4") {
		t.Errorf("got changes %+v, want only the common cause", answer)
	}
}

// attribute returns the value of the first attribute of this name.
func attribute(t *testing.T, body, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, name+`="`)
	value, _, ends := strings.Cut(rest, `"`)
	if !ok || !ends {
		t.Fatalf("got no attribute %s in %s", name, body)
	}
	return value
}
