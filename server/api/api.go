// Package api is the HTTP API for agents, and for other programs that read. openapi.yaml describes it; tests compare both.
package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/disturbance"
	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
)

// Echo is the part of the reflector that agents use through this API.
type Echo interface {
	Offer(ctx context.Context, owner, offerSDP string) (id, answerSDP string, err error)
	End(owner, id string) (wire.EchoLog, error)
	ICE(owner, host string) wire.ICEConfig
	// MeasureOwner returns the agent to which ICE issued a MeasureToken.
	MeasureOwner(token string) (owner string, ok bool)
}

// Store is the storage that this package needs.
type Store interface {
	enroll.Store
	AgentByToken(ctx context.Context, tokenHash store.Hash) (store.Agent, store.Participant, error)
	ErasedToken(ctx context.Context, tokenHash store.Hash) (bool, error)
	AgentByOtherToken(ctx context.Context, tokenHash store.Hash) (store.OtherToken, error)
	AddToken(ctx context.Context, agentID string, current, next store.Hash) error
	UseToken(ctx context.Context, agentID string, next store.Hash, now time.Time) error
	TouchAgent(ctx context.Context, agentID string, seen time.Time) error
	SaveReports(ctx context.Context, agentID string, reports []store.NewReport) ([]store.SaveResult, error)
	disturbance.Store
	store.OwnPages

	// For programs that read.
	APIToken(ctx context.Context, hash store.Hash) (store.APIToken, error)
	UseAPIToken(ctx context.Context, id string, now time.Time) error
	AddAuditEntry(ctx context.Context, e store.AuditEntry) error
	ParticipantState(ctx context.Context, id string) (store.ParticipantState, error)
	ParticipantReports(ctx context.Context, q store.ReportQuery) (store.ReportPage, error)
	Report(ctx context.Context, id string) (store.StoredReport, error)
	CaseReports(ctx context.Context, caseCode string, limit int) ([]store.ReportSummary, error)
	Case(ctx context.Context, reportID string) (store.Case, error)
	ParticipantCases(ctx context.Context, participantID string, limit int) ([]store.Case, error)
	Council(ctx context.Context, id string) (store.Council, error)
	CouncilMembers(ctx context.Context, councilID string) (members []store.ParticipantState, revision int64, err error)
	CouncilSession(ctx context.Context, id string) (store.CouncilSession, error)
	CouncilSessions(ctx context.Context, q store.SessionQuery) (store.SessionPage, error)
}

// Config configures New. All fields except Shared, MediaHost, SupportPhone, Probes, Policy, Common,
// FreshFor, Zone, Rules and Ready are required.
type Config struct {
	Store Store
	Echo  Echo
	// Targets are the conference systems that the participants use.
	Targets Targets
	Live    *live.Hub
	// Agents manages the connected agents.
	Agents *live.Agents
	Log    *slog.Logger
	Now    func() time.Time
	Random io.Reader
	// Shared counts wrong enrolment codes over all collectors; nil for this process alone.
	Shared *limit.Shared
	// Registry registers the metrics of this package.
	Registry prometheus.Registerer
	// MediaHost is the host of the reflector; "" means the host that agents use for this API.
	MediaHost string
	// SupportPhone is the number of phone support that agents show; "" for none.
	SupportPhone string
	// Rules returns the rules of the Land for new disturbance records; default none.
	Rules func() (disturbance.Rules, error)
	// Probes describes the probes whose data is stored; default those of this version.
	Probes report.Probes
	// Policy restricts which parts of a report are stored.
	Policy report.Policy
	// Common returns the common causes of the present; nil for none.
	Common func() []fleet.Finding
	// FreshFor is the time for which a check counts; 0 means 24 hours.
	FreshFor time.Duration
	// Zone is the time zone of sessions; nil means time.Local.
	Zone *time.Location
	// Ready contains the readiness checks by the name of the part.
	Ready map[string]func(context.Context) error
}

// Rate limits.
const (
	// Enrolment, per address. A valid code refunds all attempts, so that an office behind one
	// address can be enrolled at once.
	enrolBurst = 10
	enrolEvery = 30 * time.Second
	// Requests of an agent, which sends a few per check. The burst is for a full spool.
	agentBurst = 60
	agentEvery = time.Second
	remembered = 100_000 // keys per limiter
)

// touchEvery is the resolution of an agent's last contact. Storing it with every request would
// cause too many writes.
const touchEvery = time.Minute

// parallelUnpacking limits the bodies that are decompressed in memory at the same time.
const parallelUnpacking = 4

// API contains the handlers.
type API struct {
	Config
	enroller      enroll.Enroller
	byAddress     *limit.Limiter
	byAgent       *limit.Limiter
	load          *loadLimiter
	loadRuns      loadRuns
	byWebSocket   *limit.Limiter
	pollers       pollers
	byRenewal     *limit.Limiter     // by agent, new tokens and codes
	byReader      *limit.Limiter     // by the id of the token
	byTokenDay    *limit.Limiter     // by the id of the token, what it read, and the day: entries of the audit log
	entries       singleflight.Group // of byTokenDay, while they are being stored
	byStranger    *limit.Limiter     // by address, requests without a valid token
	uploads       *uploads
	quota         *limit.Limiter
	byDisturbance *limit.Limiter
	recorder      disturbance.Recorder
	unpacking     chan struct{}
	unpacker      unpacker
	count         counters
}

// New returns an API and registers its metrics.
func New(c Config) *API {
	if c.Zone == nil {
		c.Zone = time.Local
	}
	if c.Rules == nil {
		c.Rules = func() (disturbance.Rules, error) { return disturbance.LoadRules("", "") }
	}
	return &API{
		Config:        c,
		enroller:      enroll.Enroller{Store: c.Store, Now: c.Now, Random: c.Random},
		byAddress:     limit.New(enrolEvery, enrolBurst, remembered, c.Now),
		byAgent:       limit.New(agentEvery, agentBurst, remembered, c.Now),
		load:          newLoadLimiter(c.Now),
		byWebSocket:   limit.New(webSocketEvery, webSocketBurst, remembered, c.Now),
		byRenewal:     limit.New(renewalEvery, renewalBurst, remembered, c.Now),
		byReader:      limit.New(readEvery, readBurst, remembered, c.Now),
		byTokenDay:    limit.New(24*time.Hour, 1, remembered, c.Now),
		byStranger:    limit.New(strangerEvery, strangerBurst, remembered, c.Now),
		uploads:       newUploads(),
		byDisturbance: limit.New(disturbanceEvery, disturbanceBurst, remembered, c.Now),
		recorder:      disturbance.Recorder{Store: c.Store, Now: c.Now, Random: c.Random, Rules: c.Rules, Zone: c.Zone, Probes: c.Probes, Common: c.Common},
		quota:         limit.New(quotaEvery, quotaBurst, remembered, c.Now),
		unpacking:     make(chan struct{}, parallelUnpacking),
		count:         newCounters(c.Registry),
	}
}

// route is one method of one path of the API.
type route struct {
	method, path string
	handler      http.Handler
}

func (a *API) routes() []route {
	return append(a.readRoutes(), []route{
		{http.MethodPost, "/api/v1/enroll", a.handle(a.enroll)},
		{http.MethodPost, "/api/v1/reports", a.admitted(a.reports)},
		{http.MethodGet, "/api/v1/ice", a.agents(a.ice)},
		{http.MethodGet, "/" + wire.PathTargets, a.agents(a.targets)},
		{http.MethodPost, "/" + wire.PathDisturbances, a.agents(a.reportDisturbance)},
		{http.MethodPost, "/" + wire.PathOwnPage, a.agents(a.newOwnPageCode)},
		{http.MethodPost, "/api/v1/echo", a.agents(a.startEcho)},
		{http.MethodDelete, "/api/v1/echo/{id}", a.agents(a.endEcho)},
		{http.MethodPost, "/api/v1/load", a.measuring(a.uploadLoad)},
		{http.MethodGet, "/api/v1/load", a.measuring(a.downloadLoad)},
		{http.MethodGet, "/api/v1/load/arrivals", a.measuring(a.streamArrivals)},
		{http.MethodGet, "/" + wire.PathWebSocket, a.measuring(a.echoWebSocket)},
		{http.MethodGet, "/" + wire.PathToken, a.agents(a.tokenState)},
		{http.MethodPost, "/" + wire.PathToken, a.agents(a.newToken)},
		{http.MethodGet, "/" + wire.PathChannel, a.agents(a.openChannel)},
		{http.MethodGet, "/" + wire.PathPoll, a.agents(a.poll)},
		{http.MethodPost, "/" + wire.PathPoll, a.agents(a.takePolled)},
		{http.MethodGet, "/api/v1/openapi.yaml", http.HandlerFunc(serveOpenAPI)},
		{http.MethodGet, "/healthz", http.HandlerFunc(healthy)},
		{http.MethodGet, "/readyz", http.HandlerFunc(a.ready)},
	}...)
}

// Mount adds the API to a mux. All errors under /api/ are JSON, even for a wrong path or method.
func (a *API) Mount(mux *http.ServeMux) {
	allowed := map[string][]string{}
	for _, r := range a.routes() {
		mux.Handle(r.method+" "+r.path, r.handler)
		allowed[r.path] = append(allowed[r.path], r.method)
	}
	for path, methods := range allowed {
		slices.Sort(methods)
		mux.Handle(path, a.handle(func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			return fault(http.StatusMethodNotAllowed, "method_not_allowed", "this address allows "+strings.Join(methods, ", "))
		}))
	}
	mux.Handle("/api/", a.handle(func(http.ResponseWriter, *http.Request) error {
		return fault(http.StatusNotFound, "not_found", "this address does not exist")
	}))
}

// handle converts a handler. An error becomes an error response.
func (a *API) handle(h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(wire.HeaderSupportPhone, a.SupportPhone)
		if err := h(w, r); err != nil {
			a.answerError(w, r, err)
		}
	})
}

func (a *API) answerError(w http.ResponseWriter, r *http.Request, err error) {
	f, ok := errors.AsType[*Fault](err)
	switch {
	case ok:
	case r.Context().Err() != nil:
		// The client is gone or the server is stopping; nothing was acknowledged.
		f = &Fault{Status: http.StatusServiceUnavailable, Code: "interrupted", Message: "the request was interrupted: send it again", RetryAfter: time.Second}
	case errors.Is(err, store.ErrUnavailable):
		// The request was valid: the agent keeps the reports and sends them again.
		a.Log.ErrorContext(r.Context(), "the database is unavailable", "route", r.Pattern, "err", err)
		f = &Fault{Status: http.StatusServiceUnavailable, Code: "store_unavailable", Message: "the server cannot store anything at the moment: try again later", RetryAfter: 30 * time.Second}
	default:
		a.Log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "err", err)
		f = &Fault{Status: http.StatusInternalServerError, Code: "internal", Message: "the server failed; its log contains the reason"}
	}
	f.write(w)
}
