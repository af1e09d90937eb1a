// Package web is the dashboard of phone support. It shows which participants will be heard in a
// session, and the cause if one will not. The pages work without scripts; a small script keeps open
// pages up to date.
package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"golang.org/x/sync/singleflight"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/disturbance"
	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/privacy"
	"github.com/tonprobe/tonprobe/server/store"
)

// Store is the storage that this package needs.
type Store interface {
	store.Participants
	store.Reports
	store.Cases
	store.Audit
	store.Disturbances
	store.Retention
	store.OwnPages
	ErasedPerson(ctx context.Context, name, sourceID string) (time.Time, error)
	SessionsOf(ctx context.Context, participantID string, from, until time.Time, limit int) ([]store.CouncilSession, error)
	CouncilsOf(ctx context.Context, participantID string) ([]store.Council, error)
	Agents(ctx context.Context, participantID string) ([]store.Agent, error)
	RevokeAgent(ctx context.Context, agentID string, now time.Time) error
	Council(ctx context.Context, id string) (store.Council, error)
	CouncilMembers(ctx context.Context, councilID string) (members []store.ParticipantState, revision int64, err error)
	CouncilSession(ctx context.Context, id string) (store.CouncilSession, error)
	CouncilSessions(ctx context.Context, q store.SessionQuery) (store.SessionPage, error)
	AskForRenewal(ctx context.Context, agentID string, now time.Time) error
}

// Config configures New. Store, Auth, Live, Enroller and Log are required.
type Config struct {
	Store Store
	Auth  *auth.Auth
	Live  *live.Hub
	// Shared counts wrong codes over all collectors; nil for this process alone.
	Shared *limit.Shared
	// Common returns the common causes of the present; default none.
	Common func() []fleet.Finding
	// Erase erases a participant; default Store.DeleteParticipant.
	Erase func(ctx context.Context, participantID string) error
	// Keep is how long data is kept; a class that is not in it is kept for ever.
	Keep map[store.DataClass]time.Duration
	// Copies returns the copies of the database beside it; default none.
	Copies func() ([]privacy.Copy, error)
	// Alerts sends alerts; default none.
	Alerts Alerts
	// Rules returns the rules of the Land for new disturbance records; default none.
	Rules func() (disturbance.Rules, error)
	// Agents manages the connected agents; default none.
	Agents   *live.Agents
	Enroller enroll.Enroller
	Log      *slog.Logger
	Now      func() time.Time // default time.Now
	// Random is the source of the keys of forms (see shownCodes); default crypto/rand.
	Random io.Reader
	// Zone is the time zone of the pages; default time.Local.
	Zone *time.Location
	// PublicOrigin (scheme://host) is the origin at which agents reach the collector; default
	// the one that the browser uses.
	PublicOrigin string
	// AuthorityPin returns the pin of the collector's own certificate authority for enrolment
	// links; nil, or "" if systems trust the collector's certificate.
	AuthorityPin func() string
	// Version is the version of this collector, which the browser check states in its reports;
	// default "dev".
	Version string
	// Downloads is the folder with the installers that the setup page offers; "" for none. It need
	// not exist.
	Downloads string
	// Contact is the e-mail or web address to report accessibility barriers to. The default is
	// a general text.
	Contact string
	// Arbitration is the body to which people can turn if the contact does not help: its web address
	// or its name and address. The default is a general text.
	Arbitration string
	// FreshFor is the time for which a check counts; default 24 hours. Older checks are shown as
	// old, whatever their result.
	FreshFor time.Duration
	// Heartbeat is the interval of keep-alives in an event stream; default 20 s, because proxies
	// close connections that are idle for 30 to 60 s.
	Heartbeat time.Duration
	// Glossary describes the probes that the pages can show; default those of this version.
	Glossary diagnose.Glossary
	// Later runs work for which an answer must not wait; default in a goroutine of its own.
	Later func(func())
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Common == nil {
		c.Common = func() []fleet.Finding { return nil }
	}
	if c.Rules == nil {
		c.Rules = func() (disturbance.Rules, error) { return disturbance.LoadRules("", "") }
	}
	if c.AuthorityPin == nil {
		c.AuthorityPin = func() string { return "" }
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.Zone == nil {
		c.Zone = time.Local
	}
	if c.FreshFor == 0 {
		c.FreshFor = 24 * time.Hour
	}
	if c.Copies == nil {
		c.Copies = func() ([]privacy.Copy, error) { return nil, nil }
	}
	if c.Erase == nil {
		c.Erase = func(ctx context.Context, id string) error { return c.Store.DeleteParticipant(ctx, id, c.Now()) }
	}
	if c.Agents == nil {
		c.Agents = live.NewAgents(live.AgentsConfig{Hub: c.Live, Now: c.Now, Random: c.Random, Log: c.Log})
	}
	if c.Later == nil {
		c.Later = func(f func()) { go f() }
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 20 * time.Second
	}
	return c
}

// site contains the handlers and their dependencies.
type site struct {
	Config
	books   books
	pages   pages
	assets  assets
	streams *streams
	// revisions caches the revisions of open lists by name.
	revisions *recent[string, revision]
	// windows caches what open lists show.
	windows *recent[listQuery, window]
	// lines caches the results of partialHeadline.
	lines *recent[headlineKey, string]
	shown *shownCodes
	// reads contains the latest entries of the audit log about reads, and entries those that are being
	// stored.
	reads   *limit.Limiter
	entries singleflight.Group
	// recorder makes the entries of disturbance records.
	recorder disturbance.Recorder
	own      *auth.OwnPages
}

// New returns the handler of all pages, for the path "/". It fails only if the embedded files are
// invalid.
func New(c Config) (http.Handler, error) {
	s := &site{Config: c.withDefaults(), streams: newStreams(), shown: newShownCodes(), reads: newReads(c.withDefaults().Now),
		revisions: newRecent[string](maxRememberedRows, revision.weight),
		windows:   newRecent[listQuery](maxWindowRows, window.weight),
		lines:     newRecent[headlineKey](maxHeadlines, func(string) int { return 1 })}
	s.recorder = disturbance.Recorder{Store: s.Store, Now: s.Now, Random: s.Random, Rules: s.Rules, Zone: s.Zone, Probes: s.Glossary.Probes(), Common: s.Common}
	s.own = auth.NewOwnPages(s.Store, s.Random, s.Now, s.Shared)
	var err error
	if s.books, err = loadBooks(); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.pages, err = loadPages(s.books); err != nil {
		return nil, err
	}
	compressed, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.ContentTypeFilter(compressible))
	if err != nil {
		return nil, fmt.Errorf("prepare compression: %w", err)
	}
	routes := s.routes()
	whole := compressed(routes)
	return Secure(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Responses to forms contain new codes. Secrets must not be compressed together
		// with text that somebody else may have chosen (BREACH attack). Events must not be
		// buffered.
		if r.Method != http.MethodGet || r.URL.Path == "/events" {
			routes.ServeHTTP(w, r)
			return
		}
		whole.ServeHTTP(w, r)
	})), nil
}

// compressible excludes images, which are compressed already.
func compressible(contentType string) bool {
	return strings.HasPrefix(contentType, "text/") || strings.Contains(contentType, "json") || strings.Contains(contentType, "javascript") || strings.Contains(contentType, "svg")
}

// public is the right of a page that everybody may open.
const public auth.Right = ""

// route is one page or form, and the right that it requires.
type route struct {
	pattern string
	right   auth.Right
	handler http.Handler
}

func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.table() {
		mux.Handle(r.pattern, r.handler)
	}
	mux.Handle("/", s.Auth.Know(s.answer(func(w http.ResponseWriter, r *http.Request) error {
		if methods := allowedMethods(mux, r); len(methods) > 0 {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			return errWrongMethod
		}
		return store.ErrNotFound
	})))
	return mux
}

// table returns all routes. A new one also needs a line in TestRights.
func (s *site) table() (all []route) {
	open := func(pattern string, h handler) { all = append(all, route{pattern, public, s.answer(h)}) }
	known := func(pattern string, h handler) { all = append(all, route{pattern, public, s.Auth.Know(s.answer(h))}) }
	staff := func(right auth.Right, pattern string, h handler) {
		all = append(all, route{pattern, right, s.staffOnly(right, s.audited(auditKind(pattern), s.answer(h)))})
	}

	all = append(all, route{"GET /static/{name}", public, s.assets})
	open("GET /login", s.loginForm)
	open("POST /login", s.login)
	open("GET /login/code", s.codeForm)
	open("POST /login/code", s.loginByCode)
	known("GET "+auth.OneTimeLoginPath, s.loginOnce)
	open("GET "+auth.InvitationPath, s.invitationForm)
	open("POST "+auth.InvitationPath, s.acceptInvitation)
	open("GET "+auth.ProviderPath, s.beginProvider)
	open("GET "+auth.ProviderAnswerPath, s.providerAnswer)
	open("GET "+providerSignOutAddress, s.signOutAtProvider)
	open("POST /logout", s.logout)
	open("POST /language", s.chooseLanguage)
	known("GET /accessibility", s.accessibility)
	open("GET "+wire.InvitationPath, s.setup)
	open("GET "+downloadsAddress+"{name}", s.download)
	open("GET "+mineAddress, s.mine)
	open("POST "+mineAddress, s.openMine)
	open("POST "+mineAddress+"/close", s.closeMine)
	open("GET "+mineAddress+"/export", s.ownExport)
	open("GET "+mineAddress+"/reports/{report}", s.ownDocument)
	open("GET "+wire.CheckPath, s.browserCheck)

	staff(auth.Read, "GET /{$}", s.list)
	staff(auth.Read, "GET /changes", s.listChanges)
	staff(auth.Overview, "GET "+numbersAddress, s.numbers)
	staff(auth.Read, "GET /sessions", s.sessions)
	staff(auth.Read, "GET /sessions/{id}", s.rollCall)
	staff(auth.Read, "GET "+recordsAddress, s.records)
	staff(auth.Read, "GET /sessions/{id}/disturbances", s.disturbanceRecord)
	staff(auth.Assist, "POST /sessions/{id}/disturbances", s.changeRecord)
	staff(auth.Read, "GET /sessions/{id}/disturbances/table", s.recordTable)
	staff(auth.Read, "GET /sessions/{id}/disturbances/file", s.recordFile)
	staff(auth.Assist, "GET /participants/new", s.admitForm)
	staff(auth.Assist, "POST /participants", s.admit)
	staff(auth.Assist, "GET /letters", s.letters)
	staff(auth.Assist, "POST /letters", s.writeLetters)
	staff(auth.Read, "GET /participants/{id}", s.participant)
	staff(auth.Read, "GET /participants/{id}/reports/{report}", s.participant)
	staff(auth.Read, "GET /participants/{id}/reports/{report}/document", s.document)
	staff(auth.Assist, "POST /participants/{id}/reports/{report}/case", s.changeCase)
	staff(auth.Overview, "GET "+causesAddress, s.causes)
	staff(auth.Administer, "GET "+alertsAddress, s.alerts)
	staff(auth.Administer, "POST "+alertsAddress+"/test", s.testAlert)
	staff(auth.Read, "GET "+casesAddress, s.cases)
	staff(auth.Read, "GET /participants/{id}/retest", s.retestPart)
	staff(auth.Assist, "POST /participants/{id}/computers/{agent}/retest", s.requestRetest)
	staff(auth.Assist, "POST /participants/{id}/computers/{agent}/retest/cancel", s.cancelRetest)
	staff(auth.Assist, "POST /participants/{id}/code", s.newCode)
	staff(auth.Assist, "GET /participants/{id}/edit", s.editForm)
	staff(auth.Assist, "POST /participants/{id}/edit", s.edit)
	staff(auth.Manage, "GET /participants/{id}/export", s.exportPerson)
	staff(auth.Manage, "GET /participants/{id}/delete", s.deleteForm)
	staff(auth.Manage, "POST /participants/{id}/delete", s.delete)
	staff(auth.Manage, "GET /participants/{id}/computers/{agent}/revoke", s.revokeForm)
	staff(auth.Manage, "POST /participants/{id}/computers/{agent}/revoke", s.revoke)
	staff(auth.Manage, "GET /participants/{id}/computers/{agent}/shutout", redirectToRevoke) // the address in former versions
	staff(auth.Assist, "POST /participants/{id}/computers/{agent}/token", s.requestToken)
	staff(auth.Manage, "POST /participants/{id}/block", s.block(true))
	staff(auth.Manage, "POST /participants/{id}/unblock", s.block(false))
	staff(auth.Own, "GET /account", s.account)
	staff(auth.Own, "POST /account/session", s.endOwnSession)
	staff(auth.Own, "POST /account/sessions", s.endOtherSessions)
	staff(auth.Own, "GET "+secondFactorAddress, s.secondFactor)
	staff(auth.Own, "POST "+secondFactorAddress, s.beginSecondFactor)
	staff(auth.Own, "POST "+secondFactorAddress+"/confirm", s.confirmSecondFactor)
	staff(auth.Own, "POST "+secondFactorAddress+"/remove", s.removeSecondFactor)
	staff(auth.Own, "GET /password", s.passwordForm)
	staff(auth.Own, "POST /password", s.changePassword)
	staff(auth.Review, "GET "+auditAddress, s.audit)
	staff(auth.Review, "GET "+auditAddress+".csv", s.auditTable)
	staff(auth.Administer, "GET /staff", s.staffList)
	staff(auth.Administer, "POST /staff", s.inviteStaff)
	staff(auth.Administer, "GET /staff/member", s.staffMember)
	staff(auth.Administer, "POST /staff/role", s.setStaffRole)
	staff(auth.Administer, "POST /staff/invitation", s.reinviteStaff)
	staff(auth.Administer, "POST /staff/reset", s.resetStaff)
	staff(auth.Administer, "POST /staff/disable", s.disableStaff)
	staff(auth.Administer, "POST /staff/enable", s.enableStaff)
	staff(auth.Administer, "POST /staff/delete", s.deleteStaff)
	staff(auth.Administer, "POST /staff/session", s.endStaffSession)
	all = append(all, route{"GET /events", auth.Read, s.staffStream(auth.Read, s.answer(s.events))})
	return all
}

// errWrongMethod means that an address exists, but does not allow the method.
var errWrongMethod = errors.New("this address does not allow this method")

// allowedMethods returns the methods that the address of a request allows.
func allowedMethods(mux *http.ServeMux, r *http.Request) (methods []string) {
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, pattern := mux.Handler(other); pattern != "" && pattern != "/" {
			methods = append(methods, m)
		}
	}
	return methods
}
