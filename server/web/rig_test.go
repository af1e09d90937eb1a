package web_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/net/html"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlitetest"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
	"github.com/tonprobe/tonprobe/server/web"
)

const (
	staffName     = "support"
	staffPassword = "ein langer Satz als Passwort"
)

// rig consists of the pages with a real store and a clock that the test controls.
type rig struct {
	t        *testing.T
	store    *sqlstore.Store
	auth     *auth.Auth
	live     *live.Hub
	enroller enroll.Enroller
	handler  http.Handler
	log      *bytes.Buffer
	cookies  []*http.Cookie
	lang     string

	mu  sync.Mutex
	now time.Time
}

func newRig(t *testing.T, change ...func(*web.Config)) *rig {
	t.Helper()
	s := sqlitetest.Open(t)
	g := &rig{t: t, store: s, live: live.NewHub(), log: new(bytes.Buffer), lang: "de", now: time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)}
	t.Cleanup(g.live.Close)
	g.auth = auth.New(auth.Config{Store: s, Now: g.clock, Random: rand.Reader, Cost: auth.Cost{MemoryKiB: 64, Passes: 1, Lanes: 1}, SealKey: make([]byte, auth.SealKeyBytes)})
	if err := g.auth.AddStaff(t.Context(), staffName, store.RoleAdministrator, staffPassword); err != nil {
		t.Fatal(err)
	}
	g.enroller = enroll.Enroller{Store: s, Now: g.clock, Random: rand.Reader}
	c := web.Config{Store: s, Auth: g.auth, Live: g.live, Enroller: g.enroller, Log: slog.New(slog.NewTextHandler(g.log, nil)), Now: g.clock, Zone: time.UTC,
		Later: func(f func()) { f() }}
	for _, f := range change {
		f(&c)
	}
	var err error
	if g.handler, err = web.New(c); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *rig) clock() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now
}

func (g *rig) pass(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = g.now.Add(d)
}

// get requests a page; each response must meet the general requirements.
func (g *rig) get(address string) *httptest.ResponseRecorder {
	g.t.Helper()
	return g.do(httptest.NewRequest(http.MethodGet, address, nil))
}

func (g *rig) post(address string, pairs ...string) *httptest.ResponseRecorder {
	g.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return g.do(r)
}

func (g *rig) do(r *http.Request) *httptest.ResponseRecorder {
	g.t.Helper()
	r = r.WithContext(g.t.Context())
	r.Header.Set("Accept-Language", g.lang)
	for _, c := range g.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	if set := w.Result().Cookies(); len(set) > 0 {
		g.cookies = merge(g.cookies, set)
	}
	g.hold(r, w)
	return w
}

func merge(old, set []*http.Cookie) []*http.Cookie {
	byName := map[string]*http.Cookie{}
	for _, c := range append(old, set...) {
		byName[c.Name] = c
		if c.MaxAge < 0 {
			delete(byName, c.Name)
		}
	}
	var all []*http.Cookie
	for _, c := range byName {
		all = append(all, c)
	}
	return all
}

var (
	// reAddress matches the addresses that a page may contain: our own, those that dial or write, and that
	// of the arbitration body which TestAccessibilityStatement configures.
	reAddress = regexp.MustCompile(`^(/([^/\\].*)?|#content|#shape-[a-z_]+|tel:\+?[0-9]+|mailto:[^:]+|https://schlichtung\.example/hilfe)$`)
	reID      = regexp.MustCompile(`\sid="([^"]*)"`)
	reFor     = regexp.MustCompile(`\s(?:for|aria-labelledby|aria-describedby)="([^"]*)"`)
)

// hold checks a response against the general requirements.
func (g *rig) hold(r *http.Request, w *httptest.ResponseRecorder) {
	g.t.Helper()
	what := r.Method + " " + r.URL.Path
	h := w.Header()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
			"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
	} {
		if h.Get(name) != want {
			g.t.Errorf("%s: got %s %q, want %q", what, name, h.Get(name), want)
		}
	}
	if h.Get("Permissions-Policy") == "" || h.Get("Cache-Control") == "" {
		g.t.Errorf("%s: got headers %v, want Permissions-Policy and Cache-Control", what, h)
	}
	if !strings.HasPrefix(h.Get("Content-Type"), "text/html") || w.Code >= 300 && w.Code < 400 {
		return
	}
	body := w.Body.String()
	if strings.Contains(body, "‹") {
		g.t.Errorf("%s: a text is missing: %s", what, around(body, "‹"))
	}
	for _, trap := range []string{"ZgotmplZ", "<no value>", "%!", "&lt;nil&gt;"} {
		if strings.Contains(body, trap) {
			g.t.Errorf("%s: contains %s", what, around(body, trap))
		}
	}
	if hit := inline(g.t, body); hit != "" {
		g.t.Errorf("%s: contains inline code that the policy refuses: %s", what, hit)
	}
	if !strings.Contains(body, `<html lang="`+h.Get("Content-Language")+`">`) || strings.Count(body, "<h1>") != 1 || !strings.Contains(body, "<main") {
		g.t.Errorf("%s: has no language, no single heading or no landmark", what)
	}
	ids := map[string]bool{}
	for _, id := range reID.FindAllStringSubmatch(body, -1) {
		if ids[id[1]] {
			g.t.Errorf("%s: the id %q is a duplicate", what, id[1])
		}
		ids[id[1]] = true
	}
	for _, to := range reFor.FindAllStringSubmatch(body, -1) {
		if !ids[to[1]] {
			g.t.Errorf("%s: an element is labelled by the unknown id %q", what, to[1])
		}
	}
}

// inline finds what the content security policy would refuse, by parsing the
// page as a browser does.
func inline(t *testing.T, body string) string {
	t.Helper()
	for z := html.NewTokenizer(strings.NewReader(body)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			attributes := map[string]string{}
			for _, a := range tag.Attr {
				attributes[a.Key] = a.Val
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" ||
					slices.Contains([]string{"href", "src", "action", "formaction"}, a.Key) && !reAddress.MatchString(a.Val) {
					return tag.String()
				}
			}
			if slices.Contains([]string{"style", "iframe", "base", "object", "embed", "img"}, tag.Data) || tag.Data == "script" && attributes["src"] == "" {
				return tag.String()
			}
		}
	}
}

func around(body, hit string) string {
	i := strings.Index(body, hit)
	return body[max(0, i-80):min(len(body), i+120)]
}

// want checks status and parts of a page.
func (g *rig) want(w *httptest.ResponseRecorder, status int, parts ...string) {
	g.t.Helper()
	if w.Code != status {
		g.t.Errorf("got status %d, want %d: %s", w.Code, status, w.Body)
	}
	for _, part := range parts {
		if body := w.Body.String(); !strings.Contains(body, part) && !strings.Contains(html.UnescapeString(body), part) {
			g.t.Errorf("the page does not contain %q:\n%s", part, body)
		}
	}
}

func (g *rig) wantRedirect(w *httptest.ResponseRecorder, to string) {
	g.t.Helper()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != to {
		g.t.Errorf("got status %d to %q, want 303 to %q", w.Code, w.Header().Get("Location"), to)
	}
}

func (g *rig) login() *rig {
	g.t.Helper()
	g.wantRedirect(g.post("/login", "name", staffName, "password", staffPassword), "/")
	return g
}

// person adds a participant with one enrolled agent.
func (g *rig) person(name, phone string) (p store.Participant, agentID string) {
	g.t.Helper()
	// Without the Enroller, which would refuse unusual names: the store may contain any.
	p = store.Participant{ID: uuid.NewString(), Name: name, Phone: phone, CreatedAt: g.clock()}
	if err := g.store.AddParticipant(g.t.Context(), p); err != nil {
		g.t.Fatal(err)
	}
	return p, g.agent(p)
}

func (g *rig) agent(p store.Participant) string {
	g.t.Helper()
	i, err := g.enroller.Code(g.t.Context(), p)
	if err != nil {
		g.t.Fatal(err)
	}
	e, err := g.enroller.Accept(g.t.Context(), i.Code, enroll.Applicant{Version: "1.4.0", OS: "windows", Arch: "amd64"})
	if err != nil {
		g.t.Fatal(err)
	}
	return e.AgentID
}

// keep stores a report as the API would, and notifies the open pages.
func (g *rig) keep(p store.Participant, r *report.Report) {
	g.t.Helper()
	document, err := r.Encode()
	if err != nil {
		g.t.Fatal(err)
	}
	g.keepDocument(p, r, document)
}

func (g *rig) keepDocument(p store.Participant, r *report.Report, document []byte) {
	g.t.Helper()
	n := store.NewReport{Report: r, Document: document, ReceivedAt: g.clock(), CheckedAt: store.CheckedAt(r, g.clock())}
	if _, err := g.store.SaveReports(context.WithoutCancel(g.t.Context()), r.Agent.ID, []store.NewReport{n}); err != nil {
		g.t.Fatal(err)
	}
	g.live.Publish(live.Event{Kind: live.ReportStored, ParticipantID: p.ID, ReportID: r.ID, At: g.clock()})
}

// checked adds a participant with one check.
func (g *rig) checked(name, phone, caseCode string, probes ...report.Result) (store.Participant, *report.Report) {
	g.t.Helper()
	p, agentID := g.person(name, phone)
	r := newReport(g.t, agentID, caseCode, g.clock().Add(-time.Minute), probes...)
	g.keep(p, r)
	return p, r
}
