package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
	"github.com/tonprobe/tonprobe/server/web"
)

// shownIDs are the ids in the addresses of pages.
type shownIDs struct{ participant, agent, report, council, session string }

// strangerPages returns the pages for people who are not signed in; for the others, the first leads to the list.
func strangerPages() []string {
	return []string{"/login", "/login/code", "/invitation?token=x", "/accessibility", "/setup#K7P3-QX9A-2M4B", "/check#K7P3-QX9A-2M4B", "/mine"}
}

// pagesFor returns the pages for staff.
func pagesFor(of shownIDs) []string {
	person, session := "/participants/"+of.participant, "/sessions/"+of.session
	return []string{"/", "/?q=nobody", "/?q=brukner", "/?show=problems", person, person + "?number=1007", person + "/reports/" + of.report, person + "/edit", person + "/delete",
		person + "/computers/" + of.agent + "/revoke", "/participants/new", "/letters", "/letters?council=" + of.council, "/sessions", session, session + "?projector=1", session + "/disturbances",
		"/cases", "/disturbances", "/causes", "/password", "/account", "/account/code", "/audit", "/staff", "/staff/member?name=support",
		"/numbers", "/alerts", "/numbers?number=1007", "/nowhere"}
}

// staffPages returns the addresses of all pages, with a session in progress in which erika, an enrolled
// agent with reports, has reported a disturbance. The browser must be signed in.
func staffPages(erika agent) []string {
	c := erika.c
	c.t.Helper()
	s, err := sqlstore.OpenSQLite(c.t.Context(), datadir.Database(c.dir), sqlstore.Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	now := time.Now()
	council := store.Council{ID: uuid.NewString(), Name: "Stadtrat", CreatedAt: now}
	session := store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, Title: "Haushalt", StartsAt: now.Add(-time.Minute), EndsAt: now.Add(3 * time.Hour)}
	people, err := s.ParticipantStates(c.t.Context(), store.StateQuery{})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := s.AddCouncil(c.t.Context(), council); err != nil {
		c.t.Fatal(err)
	}
	if err := s.AddCouncilSession(c.t.Context(), session); err != nil {
		c.t.Fatal(err)
	}
	shown := shownIDs{participant: erika.Participant, agent: erika.ID, council: council.ID, session: session.ID}
	for _, p := range people.States {
		if err := s.AddCouncilMember(c.t.Context(), council.ID, p.ID); err != nil {
			c.t.Fatal(err)
		}
		if p.ID == erika.Participant && p.Last != nil {
			shown.report = p.Last.ID
		}
	}
	c.post("/"+wire.PathDisturbances, erika.Token, []byte(`{"id":"`+uuid.NewString()+`"}`), http.StatusOK, nil)
	return append(pagesFor(shown), strangerPages()[1:]...)
}

// withoutPage are the routes that show no page of their own, and why.
var withoutPage = map[string]string{
	"GET /static/{name}":                               "files",
	"GET /download/{name}":                             "files",
	"GET /changes":                                     "a part of the list",
	"GET /events":                                      "a stream",
	"GET /login/once":                                  "leads to the list",
	"GET /login/oidc":                                  "leads to the provider",
	"GET /login/oidc/callback":                         "leads to the list",
	"GET /logout/oidc":                                 "leads to the provider",
	"GET /sessions/{id}/disturbances/table":            "a table to save",
	"GET /sessions/{id}/disturbances/file":             "a file to save",
	"GET /participants/{id}/reports/{report}/document": "a document",
	"GET /participants/{id}/retest":                    "a part of the page of a participant",
	"GET /participants/{id}/export":                    "an archive",
	"GET /participants/{id}/computers/{agent}/shutout": "leads to its new address",
	"GET /audit.csv":                                   "a table to save",
	"GET /mine/export":                                 "an archive",
	"GET /mine/reports/{report}":                       "a document",
}

// TestEveryPageIsLookedAt: TestAxeFindsNothing and TestTextIsReadable look at the page of each route.
func TestEveryPageIsLookedAt(t *testing.T) {
	mux := http.NewServeMux()
	missing := map[string]bool{}
	for _, pattern := range web.Patterns() {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
		if strings.HasPrefix(pattern, http.MethodGet+" ") {
			missing[pattern] = true
		}
	}
	for _, address := range append(pagesFor(shownIDs{"p", "a", "r", "c", "s"}), strangerPages()...) {
		path, _, _ := strings.Cut(address, "#")
		_, pattern := mux.Handler(httptest.NewRequest(http.MethodGet, path, nil))
		if withoutPage[pattern] != "" {
			t.Errorf("%s is of %s, which is said to show no page", address, pattern)
		}
		delete(missing, pattern)
	}
	for pattern := range withoutPage {
		if !missing[pattern] {
			t.Errorf("%s is no route", pattern)
		}
		delete(missing, pattern)
	}
	for pattern := range missing {
		t.Errorf("%s is neither in pagesFor or strangerPages nor in withoutPage", pattern)
	}
}
