package web_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/web"
)

// Who may open a route.
const (
	everybody = "everybody"
	anyRole   = "support lead administrator auditor"
	desk      = "support lead administrator"
	leads     = "lead administrator"
	admins    = "administrator"
)

// rights is the table of routes and rights. Each route has a line here.
var rights = map[string]string{
	"GET /static/{name}":       everybody,
	"GET /login":               everybody,
	"POST /login":              everybody,
	"GET /login/code":          everybody,
	"POST /login/code":         everybody,
	"GET /login/once":          everybody,
	"GET /login/oidc":          everybody,
	"GET /logout/oidc":         everybody,
	"GET /login/oidc/callback": everybody,
	"GET /invitation":          everybody,
	"POST /invitation":         everybody,
	"POST /logout":             everybody,
	"POST /language":           everybody,
	"GET /accessibility":       everybody,
	"GET /setup":               everybody,
	"GET /check":               everybody,
	"GET /download/{name}":     everybody,

	// Without the code of a visit, these show the form for the code.
	"GET /mine":                  everybody,
	"POST /mine":                 everybody,
	"POST /mine/close":           everybody,
	"GET /mine/export":           everybody,
	"GET /mine/reports/{report}": everybody,

	"GET /account":               anyRole,
	"POST /account/session":      anyRole,
	"POST /account/sessions":     anyRole,
	"GET /account/code":          anyRole,
	"POST /account/code":         anyRole,
	"POST /account/code/confirm": anyRole,
	"POST /account/code/remove":  anyRole,
	"GET /password":              anyRole,
	"POST /password":             anyRole,
	"GET /numbers":               anyRole,
	"GET /causes":                anyRole,

	"GET /{$}":                                                desk,
	"GET /changes":                                            desk,
	"GET /events":                                             desk,
	"GET /sessions":                                           desk,
	"GET /sessions/{id}":                                      desk,
	"GET /cases":                                              desk,
	"GET /disturbances":                                       desk,
	"GET /sessions/{id}/disturbances":                         desk,
	"POST /sessions/{id}/disturbances":                        desk,
	"GET /sessions/{id}/disturbances/table":                   desk,
	"GET /sessions/{id}/disturbances/file":                    desk,
	"GET /participants/new":                                   desk,
	"POST /participants":                                      desk,
	"GET /letters":                                            desk,
	"POST /letters":                                           desk,
	"GET /participants/{id}":                                  desk,
	"GET /participants/{id}/reports/{report}":                 desk,
	"GET /participants/{id}/reports/{report}/document":        desk,
	"POST /participants/{id}/reports/{report}/case":           desk,
	"GET /participants/{id}/retest":                           desk,
	"POST /participants/{id}/computers/{agent}/retest":        desk,
	"POST /participants/{id}/computers/{agent}/retest/cancel": desk,
	"POST /participants/{id}/computers/{agent}/token":         desk,
	"POST /participants/{id}/code":                            desk,
	"GET /participants/{id}/edit":                             desk,
	"POST /participants/{id}/edit":                            desk,

	"GET /participants/{id}/export":                    leads,
	"GET /participants/{id}/delete":                    leads,
	"POST /participants/{id}/delete":                   leads,
	"GET /participants/{id}/computers/{agent}/revoke":  leads,
	"POST /participants/{id}/computers/{agent}/revoke": leads,
	"GET /participants/{id}/computers/{agent}/shutout": leads,
	"POST /participants/{id}/block":                    leads,
	"POST /participants/{id}/unblock":                  leads,

	"GET /audit":     "administrator auditor",
	"GET /audit.csv": "administrator auditor",

	"GET /alerts":            admins,
	"POST /alerts/test":      admins,
	"GET /staff":             admins,
	"POST /staff":            admins,
	"GET /staff/member":      admins,
	"POST /staff/role":       admins,
	"POST /staff/invitation": admins,
	"POST /staff/reset":      admins,
	"POST /staff/disable":    admins,
	"POST /staff/enable":     admins,
	"POST /staff/delete":     admins,
	"POST /staff/session":    admins,
}

func TestEveryRouteHasItsRights(t *testing.T) {
	got := web.Patterns()
	slices.Sort(got)
	if want := slices.Sorted(maps.Keys(rights)); !slices.Equal(got, want) {
		t.Errorf("the table of rights differs from the routes:\ngot  %q\nwant %q", got, want)
	}
}

// TestRights requests every route with every role, and without a login.
func TestRights(t *testing.T) {
	g := newRig(t)
	p, r := g.checked("Erika Beispiel", "", "K7P-3QX", microphone(nil))
	cookies := map[string][]*http.Cookie{"": nil}
	for _, role := range store.Roles() {
		g.cookies = nil
		name := "the " + string(role)
		if err := g.auth.AddStaff(t.Context(), name, role, staffPassword); err != nil {
			t.Fatal(err)
		}
		g.wantRedirect(g.post("/login", "name", name, "password", staffPassword), "/")
		cookies[string(role)] = g.cookies
	}
	for pattern, may := range rights {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{$}", "", "{name}", "style.css", "{id}", p.ID, "{report}", r.ID, "{agent}", r.Agent.ID).Replace(path)
		if method == http.MethodPost { // permitted requests must not take effect here
			path = strings.NewReplacer(p.ID, uuid.NewString(), r.ID, uuid.NewString()).Replace(path)
		}
		for role, signedIn := range cookies {
			if role != "" && path == "/logout" {
				continue // the session is needed for the other routes
			}
			g.cookies = nil
			ctx, cancel := context.WithCancel(t.Context())
			q := httptest.NewRequest(method, path, strings.NewReader(""))
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, c := range signedIn {
				q.AddCookie(c)
			}
			w := answered{httptest.NewRecorder(), cancel}
			g.handler.ServeHTTP(w, q.WithContext(ctx))
			cancel()
			toLogin := w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), "/login")
			refused := w.Code == http.StatusForbidden || w.Code == http.StatusUnauthorized || toLogin && path != "/logout" && path != "/login/code" ||
				path == "/" && w.Header().Get("Location") == "/audit"
			if want := may != everybody && !slices.Contains(strings.Fields(may), role); refused != want {
				t.Errorf("%s as %q: got status %d to %q, refused %v, want %v", pattern, role, w.Code, w.Header().Get("Location"), refused, want)
			}
			if refused && strings.Contains(w.Body.String(), "Erika") {
				t.Errorf("%s as %q: the refusal names a participant", pattern, role)
			}
		}
	}
	if after, err := g.store.Participant(t.Context(), p.ID); err != nil || after.Blocked {
		t.Errorf("got %+v, error %v; want no change", after, err)
	}
}

// answered cancels a request with the first byte of its answer, which ends an event stream.
type answered struct {
	*httptest.ResponseRecorder
	cancel context.CancelFunc
}

func (a answered) WriteHeader(status int) {
	a.ResponseRecorder.WriteHeader(status)
	a.cancel()
}

func (a answered) Write(b []byte) (int, error) {
	defer a.cancel()
	return a.ResponseRecorder.Write(b)
}

// TestARoleAppliesAtOnce: a changed role also applies to sessions that began before.
func TestARoleAppliesAtOnce(t *testing.T) {
	g := newRig(t).login()
	g.want(g.get("/staff"), http.StatusOK)
	if err := g.auth.SetRole(t.Context(), "", staffName, store.RoleSupport, nil); err != nil {
		t.Fatal(err)
	}
	g.want(g.get("/staff"), http.StatusForbidden, "Das darf Ihre Rolle nicht")
	if strings.Contains(g.get("/").Body.String(), `href="/staff"`) {
		t.Error("the page links to one that the role may not open")
	}
	if err := g.auth.SetRole(t.Context(), "", staffName, store.RoleAuditor, nil); err != nil {
		t.Fatal(err)
	}
	g.wantRedirect(g.get("/"), "/audit")
	g.want(g.get("/participants/x"), http.StatusForbidden)
	if err := g.auth.Disable(t.Context(), "", staffName, nil); err != nil {
		t.Fatal(err)
	}
	g.wantRedirect(g.get("/account"), "/login?next=%2Faccount")
}

// TestPagesOfferOnlyWhatTheRoleMayDo: every link and form of a participant's page works.
func TestPagesOfferOnlyWhatTheRoleMayDo(t *testing.T) {
	g := newRig(t).login()
	p, _ := g.checked("Erika Beispiel", "", "K7P-3QX", microphone(nil))
	for role, want := range map[store.Role]bool{store.RoleSupport: false, store.RoleLead: true} {
		if err := g.auth.SetRole(t.Context(), "", staffName, role, nil); err != nil {
			t.Fatal(err)
		}
		body := g.get("/participants/" + p.ID).Body.String()
		for _, part := range []string{"/block\"", "/delete\"", "/revoke\""} {
			if got := strings.Contains(body, part); got != want {
				t.Errorf("%s: got %s %v, want %v", role, part, got, want)
			}
		}
	}
}

// TestAnotherSitesForms: browsers send no cookies with a form of another site, and the collector
// refuses such a form as well (auth.SameOrigin).
func TestAnotherSitesForms(t *testing.T) {
	g := newRig(t).login()
	refuse := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	h, err := auth.SameOrigin("", refuse, g.handler)
	if err != nil {
		t.Fatal(err)
	}
	for pattern := range rights {
		method, path, _ := strings.Cut(pattern, " ")
		if method != http.MethodPost {
			continue
		}
		q := httptest.NewRequest(method, strings.NewReplacer("{id}", "x", "{report}", "x", "{agent}", "x").Replace(path), strings.NewReader(""))
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.Header.Set("Sec-Fetch-Site", "cross-site")
		for _, c := range g.cookies {
			q.AddCookie(c)
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, q); w.Code != http.StatusForbidden {
			t.Errorf("%s from another site: got status %d, want %d", pattern, w.Code, http.StatusForbidden)
		}
	}
}
