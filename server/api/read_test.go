package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/store"
)

// readToken adds a token for programs, valid for an hour.
func (g *rig) readToken(scopes ...store.Scope) string {
	g.t.Helper()
	secret, hash, err := auth.NewToken(rand.Reader)
	if err != nil {
		g.t.Fatal(err)
	}
	id := uuid.NewString()
	if err := g.store.AddAPIToken(g.t.Context(), store.APIToken{ID: id, Name: id, Hash: hash, Scopes: scopes, CreatedAt: g.clock(), ExpiresAt: g.clock().Add(time.Hour)}); err != nil {
		g.t.Fatal(err)
	}
	return secret
}

func (g *rig) read(token, path string, into any) *httptest.ResponseRecorder {
	g.t.Helper()
	w := g.do(ask{method: http.MethodGet, path: "/api/v1/read/" + path, token: token})
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil || w.Code != http.StatusOK {
			g.t.Fatalf("%s: got status %d, error %v: %s; want 200", path, w.Code, err, w.Body)
		}
	}
	return w
}

// desk is a council with a session, a participant who was checked, and a case with a note.
type desk struct{ participant, report, session string }

func (g *rig) desk() desk {
	g.t.Helper()
	e := g.enrolled("Anna Muster")
	r := g.newReport(e.AgentID)
	if w := g.do(ask{method: http.MethodPost, path: "/api/v1/reports", token: e.Token, body: encode(g.t, r)}); w.Code != http.StatusAccepted {
		g.t.Fatalf("deliver: %s", w.Body)
	}
	g.enrolled("Berta Beispiel")
	found, err := g.store.ParticipantStates(g.t.Context(), store.StateQuery{Search: "Anna"})
	if err != nil || len(found.States) != 1 {
		g.t.Fatalf("got %+v, error %v; want one participant", found, err)
	}
	d := desk{participant: found.States[0].ID, report: r.ID, session: uuid.NewString()}
	c := store.Council{ID: uuid.NewString(), Name: "Rat", CreatedAt: g.clock()}
	for _, err := range []error{
		g.store.AddCouncil(g.t.Context(), c), g.store.AddCouncilMember(g.t.Context(), c.ID, d.participant),
		g.store.AddCouncilSession(g.t.Context(), store.CouncilSession{ID: d.session, CouncilID: c.ID, StartsAt: g.clock().Add(time.Hour)}),
	} {
		if err != nil {
			g.t.Fatal(err)
		}
	}
	if _, err := g.store.AddCaseEntry(g.t.Context(), r.ID, store.CaseEntry{At: g.clock(), By: "support", Kind: store.CaseNoted, Text: "rang back"}); err != nil {
		g.t.Fatal(err)
	}
	return d
}

func TestReading(t *testing.T) {
	found := fleet.Finding{Code: fleet.CodeProvider, Key: "AS64498 Beispiel", From: time.Unix(1, 0), To: time.Unix(2, 0), Affected: []string{"x"}, Members: 3, Probability: 0.99}
	g := newRig(t, func(c *Config) { c.Common, c.Zone = func() []fleet.Finding { return []fleet.Finding{found} }, time.UTC })
	d, token := g.desk(), g.readToken(store.Scopes()...)

	var people struct {
		Participants []readPerson
		Next         string
	}
	g.read(token, "participants", &people)
	if len(people.Participants) != 2 || people.Participants[0].Name != "Anna Muster" || people.Participants[0].Last == nil || people.Participants[1].State != stateNever {
		t.Errorf("got %+v, want both participants", people)
	}
	g.read(token, "participants?limit=1", &people)
	first := people.Participants[0].ID
	g.read(token, "participants?limit=1&after="+url.QueryEscape(people.Next), &people)
	if len(people.Participants) != 1 || people.Participants[0].ID == first || people.Next != "" {
		t.Errorf("got the second page %+v, want the other participant and no further page", people)
	}
	g.read(token, "participants?search=muster", &people)
	if len(people.Participants) != 1 || people.Participants[0].ID != d.participant {
		t.Errorf("got %+v for a search, want %s", people, d.participant)
	}
	var one readPerson
	g.read(token, "participants/"+d.participant, &one)
	// Without a microphone, the check says nothing about the sound.
	if one.ID != d.participant || one.State != string(report.Unknown) {
		t.Errorf("got %+v, want %s, unknown", one, d.participant)
	}
	var history struct{ Reports []readReportSummary }
	g.read(token, "participants/"+d.participant+"/reports", &history)
	if len(history.Reports) != 1 || history.Reports[0].ID != d.report || history.Reports[0].Case != "K7P-3QX" {
		t.Errorf("got %+v, want report %s", history, d.report)
	}
	if w := g.read(token, "reports/"+d.report, nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"document":{"schema":"tonprobe.report/v1"`) {
		t.Errorf("got %s; want the document", w.Body)
	}
	var kept readCase
	g.read(token, "reports/"+d.report+"/case", &kept)
	if kept.State != "open" || len(kept.Entries) != 1 || kept.Entries[0].Text != "rang back" {
		t.Errorf("got case %+v, want it open with a note", kept)
	}
	for _, path := range []string{"cases?code=k7p+3qx", "participants/" + d.participant + "/cases"} {
		var cases struct{ Cases []readCase }
		g.read(token, path, &cases)
		if len(cases.Cases) != 1 || cases.Cases[0].ReportID != d.report || cases.Cases[0].Entries != nil {
			t.Errorf("%s: got %+v, want the case without its entries", path, cases)
		}
	}
	var sessions struct{ Sessions []readCouncilSession }
	g.read(token, "sessions", &sessions)
	if len(sessions.Sessions) != 1 || sessions.Sessions[0].Council != "Rat" || sessions.Sessions[0].EndsAt != nil {
		t.Errorf("got %+v, want the session", sessions)
	}
	var roll struct {
		Counts  map[string]int
		Members []readMember
	}
	w := g.read(token, "sessions/"+d.session, &roll)
	if roll.Counts["amber"] != 1 || len(roll.Members) != 1 || roll.Members[0].ParticipantID != d.participant || strings.Contains(w.Body.String(), "Anna") {
		t.Errorf("got %s, want one member, amber, without the name", w.Body)
	}
	var causes struct{ Causes []readCommonCause }
	g.read(token, "causes", &causes)
	if len(causes.Causes) != 1 || causes.Causes[0].Key != found.Key || !slices.Equal(causes.Causes[0].Affected, found.Affected) {
		t.Errorf("got %+v, want %+v", causes, found)
	}
}

// TestRollCallNamesTheDecidingCheck: a later check without a microphone that found nothing does not
// hide why somebody is red.
func TestRollCallNamesTheDecidingCheck(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Zone = time.UTC })
	d, token := g.desk(), g.readToken(store.ScopeSessions)
	member := func() readMember {
		t.Helper()
		var roll struct{ Members []readMember }
		g.read(token, "sessions/"+d.session, &roll)
		if len(roll.Members) != 1 || roll.Members[0].CheckedAt == nil {
			t.Fatalf("got %+v, want one checked member", roll)
		}
		return roll.Members[0]
	}
	first, err := g.store.Report(t.Context(), d.report)
	if err != nil {
		t.Fatal(err)
	}
	save := func(change func(*report.Report)) {
		t.Helper()
		g.wait(10 * time.Minute)
		r := g.newReport(first.AgentID)
		change(r)
		if _, err := g.store.SaveReports(t.Context(), first.AgentID, []store.NewReport{{Report: r, Document: encode(t, r), ReceivedAt: g.clock(), CheckedAt: g.clock()}}); err != nil {
			t.Fatal(err)
		}
	}
	save(func(r *report.Report) {
		r.Verdict = report.NotReady
		r.Probes = []report.Result{{Name: report.ProbeAudioInput, Version: 1, Status: report.StatusFail, StartedAt: r.StartedAt}}
		r.Causes = []report.Cause{{Code: "audio.os_muted", Severity: report.SeverityFail, Primary: true, Confidence: 1, Area: report.AreaParticipant}}
	})
	full := g.clock()
	for range 2 {
		if m := member(); m.State != "red" || m.Cause != "audio.os_muted" || !m.CheckedAt.Equal(full) {
			t.Errorf("got %+v, want red because of audio.os_muted at %v", m, full)
		}
		save(func(*report.Report) {})
	}
	save(func(r *report.Report) {
		r.Verdict = report.Limited
		r.Causes = []report.Cause{{Code: "net.wifi_weak", Severity: report.SeverityWarn, Primary: true, Confidence: 1, Area: report.AreaParticipant}}
	})
	if m := member(); m.State != "amber" || m.Cause != "net.wifi_weak" || !m.CheckedAt.Equal(g.clock()) {
		t.Errorf("got %+v, want amber because of net.wifi_weak at %v", m, g.clock())
	}
}

// TestScopes requests every route with each scope alone.
func TestScopes(t *testing.T) {
	g := newRig(t)
	d := g.desk()
	tokens := map[store.Scope]string{}
	for _, s := range store.Scopes() {
		tokens[s] = g.readToken(s)
	}
	for path, scope := range map[string]store.Scope{
		"participants": store.ScopeParticipants, "participants/" + d.participant: store.ScopeParticipants,
		"participants/" + d.participant + "/reports": store.ScopeReports, "reports/" + d.report: store.ScopeReports,
		"participants/" + d.participant + "/cases": store.ScopeCases, "reports/" + d.report + "/case": store.ScopeCases, "cases?code=K7P-3QX": store.ScopeCases,
		"sessions": store.ScopeSessions, "sessions/" + d.session: store.ScopeSessions, "causes": store.ScopeCauses,
	} {
		for _, s := range store.Scopes() {
			w := g.read(tokens[s], path, nil)
			if s == scope && w.Code != http.StatusOK {
				t.Errorf("%s with %s: got status %d, want %d: %s", path, s, w.Code, http.StatusOK, w.Body)
			}
			if s != scope {
				wantFault(t, w, http.StatusForbidden, "scope_missing")
			}
			if s != scope && strings.Contains(w.Body.String(), "Anna") {
				t.Errorf("%s with %s: the refusal contains a name", path, s)
			}
		}
	}
	if n := len(g.api.readRoutes()); n != 10 {
		t.Errorf("got %d routes, want 10: add the new one to this test", n)
	}
}

func TestTokensThatMayNotRead(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("Anna Muster")
	token := g.readToken(store.ScopeParticipants)
	for what, token := range map[string]string{"none": "", "of an agent": e.Token, "too long": strings.Repeat("x", 4000), "unknown": strings.Repeat("x", 43), "cut": token[:42]} {
		t.Run(what, func(t *testing.T) {
			wantFault(t, g.read(token, "participants", nil), http.StatusUnauthorized, "token_unknown")
		})
	}
	// A token of a program is none of an agent.
	wantFault(t, g.do(ask{method: http.MethodGet, path: "/api/v1/ice", token: token}), http.StatusUnauthorized, "token_invalid")
	if w := g.read(token, "participants", nil); w.Code != http.StatusOK {
		t.Errorf("got status %d, want %d", w.Code, http.StatusOK)
	}
	all, err := g.store.APITokens(t.Context())
	if err != nil || len(all) != 1 || !all[0].UsedAt.Equal(g.clock()) {
		t.Errorf("got %+v, error %v; want its use at %v", all, err, g.clock())
	}
	g.wait(time.Hour)
	wantFault(t, g.read(token, "participants", nil), http.StatusUnauthorized, "token_unknown")
	token = g.readToken(store.ScopeParticipants)
	all, err = g.store.APITokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if err := g.store.RemoveAPIToken(t.Context(), one.ID); err != nil {
			t.Fatal(err)
		}
	}
	wantFault(t, g.read(token, "participants", nil), http.StatusUnauthorized, "token_unknown")
}

func TestReadingIsLimited(t *testing.T) {
	g := newRig(t)
	token, other := g.readToken(store.ScopeCauses), g.readToken(store.ScopeCauses)
	for range readBurst {
		if w := g.read(token, "causes", nil); w.Code != http.StatusOK {
			t.Fatalf("got status %d, want %d", w.Code, http.StatusOK)
		}
	}
	wantFault(t, g.read(token, "causes", nil), http.StatusTooManyRequests, "rate_limited")
	if w := g.read(other, "causes", nil); w.Code != http.StatusOK {
		t.Errorf("another token: got status %d, want %d", w.Code, http.StatusOK)
	}
	g.wait(time.Second)
	if w := g.read(token, "causes", nil); w.Code != http.StatusOK {
		t.Errorf("a second later: got status %d, want %d", w.Code, http.StatusOK)
	}
	// Invalid tokens are limited by address.
	for range strangerBurst {
		wantFault(t, g.do(ask{method: http.MethodGet, path: "/api/v1/read/causes", token: strings.Repeat("y", 43), from: "192.0.2.66:9"}), http.StatusUnauthorized, "token_unknown")
	}
	wantFault(t, g.do(ask{method: http.MethodGet, path: "/api/v1/read/causes", token: strings.Repeat("y", 43), from: "192.0.2.66:9"}), http.StatusTooManyRequests, "rate_limited")
	// A valid token at the same address is still accepted.
	if w := g.do(ask{method: http.MethodGet, path: "/api/v1/read/causes", token: other, from: "192.0.2.66:9"}); w.Code != http.StatusOK {
		t.Errorf("a valid token at the address of a guesser: got status %d, want %d", w.Code, http.StatusOK)
	}
	wantFault(t, g.do(ask{method: http.MethodGet, path: "/api/v1/read/causes", token: strings.Repeat("y", 43), from: "192.0.2.66:9"}), http.StatusTooManyRequests, "rate_limited")
}

// entryStore is a store whose audit log can fail.
type entryStore struct {
	Store
	err error
}

func (s *entryStore) AddAuditEntry(ctx context.Context, e store.AuditEntry) error {
	if s.err != nil {
		return s.err
	}
	return s.Store.AddAuditEntry(ctx, e)
}

// TestReadingIsAuditedOnceADay: also by requests at the same time, and not at all without an entry.
func TestReadingIsAuditedOnceADay(t *testing.T) {
	var entries *entryStore
	g := newRig(t, func(c *Config) {
		entries = &entryStore{Store: c.Store, err: errors.New("disk full")}
		c.Store, c.Zone = entries, time.FixedZone("", 5*60*60+59*60+30) // it is 23:59:30
	})
	secret := g.readToken(store.ScopeCauses)
	token, err := g.store.APIToken(t.Context(), store.HashOf(secret))
	if err != nil {
		t.Fatal(err)
	}
	if w := g.read(secret, "causes", nil); w.Code != http.StatusInternalServerError {
		t.Errorf("without an entry: got status %d, want %d", w.Code, http.StatusInternalServerError)
	}
	entries.err = nil
	wantEntries := func(when string, want int) {
		t.Helper()
		page, err := g.store.AuditEntries(t.Context(), store.AuditQuery{Kind: store.AuditAPITokenUsed})
		if err != nil || len(page.Entries) != want {
			t.Fatalf("%s: got entries %+v, error %v; want %d", when, page.Entries, err, want)
		}
		for _, e := range page.Entries {
			if e.Subject != token.Name || e.StaffName != "" || e.Network != "192.0.2.0/24" {
				t.Errorf("%s: got %+v, want the name of the token, and the network", when, e)
			}
		}
	}
	for day := 1; day <= 3; day++ {
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				g.handler.ServeHTTP(httptest.NewRecorder(), ask{method: http.MethodGet, path: "/api/v1/read/causes", token: secret}.request(t.Context()))
			})
		}
		wg.Wait()
		wantFault(t, g.read(secret, "sessions", nil), http.StatusForbidden, "scope_missing")
		wantEntries("at once", min(day, 2))
		// Half a minute before midnight, half a minute after it, and later on that day.
		g.wait(time.Minute)
	}
}

func TestHostileReading(t *testing.T) {
	g := newRig(t)
	d, token := g.desk(), g.readToken(store.Scopes()...)
	for path, want := range map[string]struct {
		status int
		code   string
	}{
		"participants?limit=0":                                                {400, "limit_invalid"},
		"participants?limit=501":                                              {400, "limit_invalid"},
		"participants?limit=1e3":                                              {400, "limit_invalid"},
		"participants?limit=99999999999999999999":                             {400, "limit_invalid"},
		"participants?after=nonsense":                                         {400, "cursor_invalid"},
		"sessions?after=" + strings.Repeat("A", 5000):                         {400, "cursor_invalid"},
		"participants?search=" + strings.Repeat("x", report.MaxSpokenBytes+1): {400, "search_invalid"},
		"cases":                       {400, "code_invalid"},
		"cases?code=%27+OR+1%3D1":     {400, "code_invalid"},
		"participants/x":              {404, "not_found"},
		"participants/x/reports":      {404, "not_found"},
		"participants/x/cases":        {404, "not_found"},
		"reports/%2e%2e%2f":           {404, "not_found"},
		"reports/" + d.participant:    {404, "not_found"},
		"sessions/%00":                {404, "not_found"},
		"sessions/" + d.report:        {404, "not_found"},
		"reports/x/case":              {404, "not_found"},
		"everything":                  {404, "not_found"},
		"participants/%ff%fe/reports": {404, "not_found"},
	} {
		t.Run(fmt.Sprintf("%.60s", path), func(t *testing.T) { wantFault(t, g.read(token, path, nil), want.status, want.code) })
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		wantFault(t, g.do(ask{method: method, path: "/api/v1/read/participants", token: token}), http.StatusMethodNotAllowed, "method_not_allowed")
	}
	var people struct{ Participants []readPerson }
	g.read(token, "participants?search="+url.QueryEscape(`'; DROP TABLE participants; -- `), &people)
	g.read(token, "participants", &people)
	if len(people.Participants) != 2 {
		t.Errorf("got %d participants, want 2", len(people.Participants))
	}
}

// TestReadingAboutAPersonIsAudited: each person, case and report once a day, also if it is asked for by
// its code, and not at all without an entry.
func TestReadingAboutAPersonIsAudited(t *testing.T) {
	var entries *entryStore
	g := newRig(t, func(c *Config) {
		entries = &entryStore{Store: c.Store}
		c.Store = entries
	})
	d := g.desk()
	stored, err := g.store.Report(t.Context(), d.report)
	if err != nil {
		t.Fatal(err)
	}
	token := g.readToken(store.Scopes()...)
	entries.err = nil
	for range 2 {
		for _, path := range []string{"participants", "participants/" + d.participant, "participants/" + d.participant + "/reports", "participants/" + d.participant + "/cases",
			"reports/" + d.report, "reports/" + d.report + "/case", "cases?code=" + stored.Case, "sessions/" + d.session, "participants/" + uuid.NewString()} {
			g.read(token, path, nil)
		}
	}
	page, err := g.store.AuditEntries(t.Context(), store.AuditQuery{ParticipantID: d.participant})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, e := range page.Entries {
		if e.StaffName != "" || e.Subject == "" || e.Network == "" {
			t.Errorf("got %+v, want the name of the token, and the network", e)
		}
		got[string(e.Kind)+" "+e.ReportID]++
	}
	want := map[string]int{"participant_read ": 1, "participant_read " + d.report: 1, "document_read " + d.report: 1}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	token = g.readToken(store.Scopes()...)
	g.read(token, "sessions", nil)
	entries.err = errors.New("disk full")
	for _, path := range []string{"participants/" + d.participant, "reports/" + d.report, "reports/" + d.report + "/case"} {
		if w := g.read(token, path, nil); w.Code != http.StatusInternalServerError {
			t.Errorf("%s without an entry: got status %d, want 500", path, w.Code)
		}
	}
}
