package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/web"
)

func TestRollCallOfASession(t *testing.T) {
	g := newRig(t)
	g.login()
	council := store.Council{ID: uuid.NewString(), Name: "<b>Stadtrat</b>", CreatedAt: g.clock()}
	session := store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, Title: "Haushalt", StartsAt: g.clock().Add(time.Hour), EndsAt: g.clock().Add(3 * time.Hour)}
	cancelled := store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, Title: "Bau", StartsAt: g.clock().Add(48 * time.Hour), Cancelled: true}
	for _, err := range []error{g.store.AddCouncil(t.Context(), council), g.store.AddCouncilSession(t.Context(), session), g.store.AddCouncilSession(t.Context(), cancelled)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if w := g.get("/sessions/" + session.ID); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "council member add") {
		t.Errorf("without members: got status %d: %s, want 200 and the command that adds a member", w.Code, w.Body)
	}
	for _, m := range []struct {
		name    string
		verdict report.Verdict
		ago     time.Duration
	}{{"Ready", report.Ready, time.Hour}, {"Old", report.NotReady, 24 * time.Hour}, {"Never", "", 0}, {"Muted", report.NotReady, time.Minute}} {
		p, agent := g.person(m.name, "0221 5550100")
		if m.verdict != "" {
			r := newReport(t, agent, "K7P-3QX", g.clock().Add(-m.ago), report.Result{Name: report.ProbeAudioInput, Status: report.StatusOK},
				voice(0))
			r.Verdict = m.verdict
			g.keep(p, r)
		}
		if err := g.store.AddCouncilMember(t.Context(), council.ID, p.ID); err != nil {
			t.Fatal(err)
		}
	}
	g.person("Stranger", "")

	list := g.get("/sessions").Body.String()
	for _, want := range []string{"&lt;b&gt;Stadtrat", "Haushalt", "abgesagt", "/sessions/" + session.ID} {
		if !strings.Contains(list, want) {
			t.Errorf("the list of sessions does not contain %q", want)
		}
	}
	desk := g.get("/sessions/" + session.ID).Body.String()
	last := 0
	for _, name := range []string{"Muted", "Never", "Old", "Ready"} {
		at := strings.Index(desk, "<bdi>"+name+"</bdi>")
		if at < last {
			t.Errorf("%s is at %d, want it after %d: worst first", name, at, last)
		}
		last = at
	}
	if strings.Contains(desk, "Stranger") || !strings.Contains(desk, `href="tel:`) || !strings.Contains(desk, "K7P-3QX") {
		t.Errorf("got roll call %s; want it without %q, containing %q and %q", desk, "Stranger", `href="tel:`, "K7P-3QX")
	}
	shown := g.get("/sessions/" + session.ID + "?projector=1").Body.String()
	for _, never := range []string{"tel:", "5550100", "K7P-3QX", "/participants/"} {
		if body := shown[strings.Index(shown, `id="live"`):]; strings.Contains(body[:strings.Index(body, "</main>")], never) {
			t.Errorf("the projector page contains %q", never)
		}
	}
	if !strings.Contains(shown, "<bdi>Muted</bdi>") {
		t.Error("a member is missing on the projector page")
	}
	if w := g.get("/sessions/x"); w.Code != http.StatusNotFound {
		t.Errorf("unknown session: got status %d, want 404", w.Code)
	}
	g.wantRedirect(g.get("/sessions?after=x"), "/sessions")
}

// TestRollCallOf500: a large council stays on one page under 100 kB, also with common causes, and nobody is missing.
func TestRollCallOf500(t *testing.T) {
	var findings []fleet.Finding
	g := newRig(t, func(c *web.Config) { c.Common = func() []fleet.Finding { return findings } })
	g.login()
	council := store.Council{ID: uuid.NewString(), Name: "Verbandsversammlung", CreatedAt: g.clock()}
	session := store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, Title: "Haushalt", StartsAt: g.clock().Add(time.Hour), EndsAt: g.clock().Add(3 * time.Hour)}
	for _, err := range []error{g.store.AddCouncil(t.Context(), council), g.store.AddCouncilSession(t.Context(), session)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	const members = 500
	ids := make([]string, 0, members)
	for i := range members {
		name, phone := fmt.Sprintf("Dr. Maximiliane-Sophie von Beispielhausen-Mustermann %03d", i), fmt.Sprintf("+49 30 23125 %03d-%03d", i, i)
		if i >= 60 {
			p := store.Participant{ID: uuid.NewString(), Name: name, Phone: phone, CreatedAt: g.clock()}
			if err := g.store.AddParticipant(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, p.ID)
			continue
		}
		p, agent := g.person(name, phone)
		ids = append(ids, p.ID)
		r := newReport(t, agent, "K7P-3QX", g.clock().Add(-time.Minute), microphone(nil))
		r.Verdict = []report.Verdict{report.NotReady, report.Limited, report.Ready}[i%3]
		g.keep(p, r)
	}
	if err := g.store.SetCouncilMembers(t.Context(), council.ID, ids); err != nil {
		t.Fatal(err)
	}
	for range 3 { // as many as there can be
		findings = append(findings, fleet.Finding{Code: fleet.CodeProvider, Key: strings.Repeat("<ü>", 40), Affected: ids[:40], Members: 60, From: g.clock()})
	}
	for _, mode := range []string{"", "?projector=1"} {
		body := g.get("/sessions/" + session.ID + mode).Body.String()
		if len(body) >= 100_000 {
			t.Errorf("%q: got %d bytes, want fewer than 100,000", mode, len(body))
		}
		for i := range members {
			if n := strings.Count(body, fmt.Sprintf("Mustermann %03d<", i)); n != 1 {
				t.Fatalf("%q: member %d is there %d times", mode, i, n)
			}
		}
		if rows := strings.Count(body, "<tr "); mode == "" && (rows < 11 || rows > 100) || mode != "" && rows != 0 {
			t.Errorf("%q: got %d rows, want 11 to 100 at the desk and none for the projector", mode, rows)
		}
		if n := len(regexp.MustCompile(`(?m)^<li>.* <small>\d\d:\d\d</small></li>$`).FindAllString(body, -1)); n < 20 {
			t.Errorf("%q: got %d times of checks in short, want those of everybody who is ready", mode, n)
		}
	}
}

// TestRollCallKeepsTheOverview: of 500 members, the 20 who are not ready have rows with cause and case code, and the
// ready ones are folded up below.
func TestRollCallKeepsTheOverview(t *testing.T) {
	g := newRig(t)
	g.login()
	council := store.Council{ID: uuid.NewString(), Name: "Verbandsversammlung", CreatedAt: g.clock()}
	session := store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, StartsAt: g.clock().Add(time.Hour)}
	for _, err := range []error{g.store.AddCouncil(t.Context(), council), g.store.AddCouncilSession(t.Context(), session)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for i := range 500 {
		p, agent := g.person(fmt.Sprintf("Erika Schmidt-Öztürk %03d", i), fmt.Sprintf("0228 555%04d", i))
		ids = append(ids, p.ID)
		r := newReport(t, agent, fmt.Sprintf("K7P-%03d", i), g.clock().Add(-time.Minute), microphone(nil), voice(0))
		switch {
		case i%25 == 0 && i < 200:
			r.Verdict = report.NotReady
		case i%25 == 0:
			r.Verdict = report.Limited
		}
		g.keep(p, r)
	}
	if err := g.store.SetCouncilMembers(t.Context(), council.ID, ids); err != nil {
		t.Fatal(err)
	}
	body := g.get("/sessions/" + session.ID).Body.String()
	rows, ready, folded := strings.Cut(body, `<details class="short" id="roll-ready">`)
	if !folded || len(body) >= 100_000 {
		t.Fatalf("got folded %v and %d bytes, want those who are ready folded, and fewer than 100,000", folded, len(body))
	}
	for i := range 500 {
		name := fmt.Sprintf("Öztürk %03d<", i)
		if i%25 != 0 {
			if !strings.Contains(ready, name) {
				t.Errorf("%s is not in the folded group", name)
			}
			continue
		}
		if !strings.Contains(rows, name) || !strings.Contains(rows, fmt.Sprintf("K7P-%03d</code>", i)) {
			t.Errorf("%s has no row with a case code", name)
		}
	}
	if projected := g.get("/sessions/" + session.ID + "?projector=1").Body.String(); strings.Contains(projected, "<details") {
		t.Error("a group is folded on the projector, where nobody can open it")
	}
}
