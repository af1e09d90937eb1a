package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/store"
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

// TestRollCallShowsACommonCause: the desk sees it with its evidence if it affects a member, the room only the cause
// and how many.
func TestRollCallShowsACommonCause(t *testing.T) {
	var findings []fleet.Finding
	g := newRig(t, func(c *web.Config) { c.Common = func() []fleet.Finding { return findings } }).login()
	anna, _ := g.person("Anna Amsel", "0228 5550100")
	bert, _ := g.person("Bert Bussard", "")
	page := "/sessions/" + g.inSession(anna).ID
	council := store.Council{ID: uuid.NewString(), Name: "Rat Süd", CreatedAt: g.clock()}
	session := store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, StartsAt: g.clock()}
	for _, err := range []error{g.store.AddCouncil(t.Context(), council), g.store.AddCouncilSession(t.Context(), session), g.store.AddCouncilMember(t.Context(), council.ID, bert.ID)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	other := "/sessions/" + session.ID
	findings = []fleet.Finding{
		{Code: fleet.CodeProvider, Key: "AS64500 <Netz>", Affected: []string{anna.ID, "x", "y"}, Members: 4, ElsewhereMembers: 20, UsualPct: 6.2, From: g.clock().Add(-15 * time.Minute)},
		{Code: fleet.CodeSite, Key: "203.0.113.0/24", Affected: []string{"x", anna.ID, "z"}, Members: 5, From: g.clock().Add(-15 * time.Minute)},
	}
	g.want(g.get(page), http.StatusOK, "der Internetanbieter AS64500 <Netz>", "Betroffen: 3 von 4 Geprüften dort, 0 von 20 anderswo. Üblich: 6 %. Prüfungen seit 17:45 Uhr.",
		"ein Ort, Netz 203.0.113.0/24", "Der Anbieter muss das beheben.", "Es liegt nicht an Ihnen.")
	room := g.get(page + "?projector=1")
	g.want(room, http.StatusOK, "der Internetanbieter AS64500 <Netz>", "<p>Betroffen: 3 von 4 Geprüften dort.</p>", "gemeinsame Ursache: ein Ort</span>", "<p>Betroffen: 3 von 5 Geprüften dort.</p>")
	for _, never := range []string{"203.0.113", "anderswo", "Der Anbieter muss", "Es liegt nicht", "5550100"} {
		if strings.Contains(room.Body.String(), never) {
			t.Errorf("the projector page contains %q", never)
		}
	}
	for _, address := range []string{other, other + "?projector=1"} {
		if body := g.get(address).Body.String(); strings.Contains(body, "Internetanbieter") || !strings.Contains(body, `id="common" class="common" aria-label="Gemeinsame Ursache" hidden`) {
			t.Errorf("%s shows a common cause that affects no member, or has no hidden element for one: %s", address, body)
		}
	}
	g.lang = "en"
	g.want(g.get(page), http.StatusOK, "Affected: 3 of 4 people checked there, 0 of 20 elsewhere.")
	g.want(g.get(page+"?projector=1"), http.StatusOK, "Affected: 3 of 4 people checked there.</p>", "common cause: one place</span>")
}

// TestACommonCauseIsSaidFirst: if it explains the check, the page says to callers what it means for them, once, and the
// individual advice only follows for the case that the fault persists. Nobody is named as responsible.
func TestACommonCauseIsSaidFirst(t *testing.T) {
	var findings []fleet.Finding
	g := newRig(t, func(c *web.Config) { c.Common = func() []fleet.Finding { return findings } }).login()
	lossy, _ := g.checked("Anna Amsel", "", "A1B-2C3", microphone(nil), passage(), voice(9.5), internet())
	mute, _ := g.checked("Bert Bussard", "", "H4J-9TW", microphone(muted), passage(), voice(0), internet())
	ready, _ := g.checked("Cora Kleiber", "", "K7P-3QX", microphone(nil), passage(), voice(0), internet())
	const say, later = "Mehrere Personen haben diese Störung zur gleichen Zeit. Es liegt nicht an Ihnen.", "Erst wenn es danach bleibt:"
	alone := plain(g.get("/participants/" + lossy.ID).Body.String())
	_, advice, _ := strings.Cut(alone, "Das sagen Sie „")
	advice, _, _ = strings.Cut(advice, "“")
	if advice == "" || strings.Contains(alone, say) || strings.Contains(alone, later) {
		t.Fatalf("got advice %q without a common cause: %s", advice, alone)
	}
	since := g.clock().Add(-15 * time.Minute)
	for name, c := range map[string]struct {
		who       string
		code, key string
		from      time.Time
		first     bool
	}{
		"lossy, provider":   {lossy.ID, fleet.CodeProvider, "AS64500", since, true},
		"lossy, later":      {lossy.ID, fleet.CodeProvider, "AS64500", g.clock(), false},
		"lossy, version":    {lossy.ID, fleet.CodeVersion, "1.4.0 windows", since, false},
		"muted, provider":   {mute.ID, fleet.CodeProvider, "AS64500", since, false},
		"muted, own server": {mute.ID, fleet.CodeServer, fleet.Own, since, false},
		"muted, version":    {mute.ID, fleet.CodeVersion, "1.4.0 windows", since, true},
		"ready, provider":   {ready.ID, fleet.CodeProvider, "AS64500", since, false},
	} {
		findings = []fleet.Finding{{Code: c.code, Key: c.key, Affected: []string{c.who, "x", "y"}, Members: 4, From: c.from}}
		text := plain(g.get("/participants/" + c.who).Body.String())
		common, persists := strings.Index(text, say), strings.Index(text, later)
		if common < 0 || strings.Count(text, say) != 1 || (persists > common) != c.first {
			t.Errorf("%s: got the common sentence at %d, the individual one at %d, want the common one once and before it %v: %s", name, common, persists, c.first, text)
		}
		if c.first && c.who == lossy.ID && strings.Index(text, advice) < persists {
			t.Errorf("%s: %q is not marked as only for later: %s", name, advice, text)
		}
		if c.who == mute.ID && strings.Contains(text, "Zuständig die Person selbst") == c.first {
			t.Errorf("%s: got the participant named as responsible %v, want %v: %s", name, c.first, !c.first, text)
		}
	}
	g.lang = "en"
	findings = []fleet.Finding{{Code: fleet.CodeProvider, Key: "AS64500", Affected: []string{lossy.ID, "x", "y"}, Members: 4, From: since}}
	g.want(g.get("/participants/"+lossy.ID), http.StatusOK, `<p class="action">“Several people have this problem`, "<h3>Only if it persists afterwards:</h3>")
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
