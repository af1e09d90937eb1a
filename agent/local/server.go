package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Agent performs what programs request of the service. Its methods may be called
// concurrently.
type Agent interface {
	Status() (Status, error)
	// Enroll enrols the machine. anywhere allows another collector than before, and other
	// certificates of the same one.
	Enroll(ctx context.Context, asked Invitation, anywhere bool) error
	// Adopt takes over the identity of a person's program, if the machine has none.
	Adopt(ctx context.Context, id identity.Identity) error
	// Collector returns the enrolled collector; nil if there is none.
	Collector() (*collector.Endpoint, error)
	// Take stores a report, and attempts to send it. It returns the name of an outcome
	// (see station.Outcome).
	Take(ctx context.Context, r *report.Report, declined bool) (outcome string, err error)
	Reports(ctx context.Context) (Reports, error)
	Report(ctx context.Context, id string) ([]byte, error)
	// Events returns what the flight recorder has recorded since a time, or ErrNoRecords
	// if there is no recorder.
	Events(since time.Time) (Recorded, error)
	// History returns the last minutes before at, or ErrNoRecords if there are none.
	History(at time.Time) (*report.HostHistory, error)
	SelfCheck(ctx context.Context) []Finding
	// LogLines returns the last lines of the service's log, oldest first, reduced to what may
	// leave the computer.
	LogLines() []string
	// AllowNetworkRetest stores whether phone support may start checks without the microphone
	// without asking. ErrFixed means that the configuration decides.
	AllowNetworkRetest(allow bool) error
}

// Server is the service's side of the socket.
type Server struct {
	Address string
	Agent   Agent
	Log     *slog.Logger
	// Screens are the programs that register; nil if none may.
	Screens *Screens

	// Opened, if not nil, is called when programs can connect.
	Opened func()
	peerOf func(net.Conn) (Peer, error) // nil outside of tests

	mu       sync.Mutex
	client   *http.Client // for the collector, see clientOf
	endpoint *collector.Endpoint
}

// Time limits. The longest request is a report over a slow line (see station.sendTime).
const (
	headerTime = 5 * time.Second
	bodyTime   = 10 * time.Second
	answerTime = 45 * time.Second
	idleTime   = 30 * time.Second
	closeTime  = time.Second
)

const maxHeaderBytes = 16 << 10

// Run serves until ctx is done.
func (s *Server) Run(ctx context.Context) error {
	l, err := listen(s.Address)
	if err != nil {
		return fmt.Errorf("open the local socket: %w", err)
	}
	peer := s.peerOf
	if peer == nil {
		peer = peerOf
	}
	web := &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime, WriteTimeout: answerTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		// The requests of programs end with the service.
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if p, ok := c.(*peerConn); ok {
				return context.WithValue(ctx, peerKey{}, p.peer)
			}
			return ctx
		},
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		if web.Shutdown(ctx) != nil {
			_ = web.Close()
		}
	})
	s.Log.Info("programs of signed-in users can connect", "address", report.CleanText(s.Address))
	if s.Opened != nil {
		s.Opened()
	}
	err = web.Serve(&admittingListener{Listener: l, peerOf: peer, log: s.Log, open: map[string]int{}})
	if stop() {
		return errors.Join(fmt.Errorf("serve the local socket: %w", err), web.Close())
	}
	<-ended
	return ctx.Err()
}

type peerKey struct{}

// handler returns the routes. The rate of each is limited according to its kind.
func (s *Server) handler() http.Handler {
	limits := &rateLimits{all: map[rateLimitKey]*rate.Limiter{}}
	mux := http.NewServeMux()
	handle := func(pattern string, k requestKind, h func(http.ResponseWriter, *http.Request, Peer) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			// Without a peer, the zero value is not a person and is not admitted.
			peer, _ := r.Context().Value(peerKey{}).(Peer)
			err := ErrNotAdmitted
			switch {
			case !peer.Person:
			case !limits.allow(peer.Account, k):
				err = ErrBusy
			default:
				err = h(w, r, peer)
			}
			if err != nil {
				s.refuse(w, r, err)
			}
		})
	}
	handle("GET "+pathStatus, kindRead, s.status)
	handle("GET "+pathSelfCheck, kindEnrol, s.selfCheck)
	handle("POST "+pathEnroll, kindEnrol, s.enroll)
	handle("POST "+pathAdopt, kindEnrol, s.adopt)
	handle("POST "+pathReports, kindReport, s.take)
	handle("GET "+pathReports, kindRead, s.reports)
	handle("GET "+pathReports+"/{id}", kindStored, s.report)
	handle("GET "+pathEvents, kindRead, s.events)
	handle("GET "+pathHistory, kindRead, s.history)
	handle("GET "+pathLog, kindRead, s.log)
	handle("POST "+pathNetworkRetest, kindReport, s.allowNetworkRetest)
	if s.Screens != nil {
		handle("GET "+pathScreen, kindScreen, s.Screens.serve)
	}
	for _, p := range proxiedRequests() {
		handle(p.method+" "+pathCollector+p.path, kindProxy, func(w http.ResponseWriter, r *http.Request, _ Peer) error {
			return s.proxy(w, r, p)
		})
	}
	return mux
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the program is gone, or the service is stopping
	}
	f, status := faultOf(err)
	s.Log.Debug("a request of a program failed", "path", report.CleanText(r.URL.Path), "code", f.Code, "err", report.ErrorText(err))
	f.Detail = report.CleanText(f.Detail)
	w.Header().Set(headerFault, f.Code)
	answer(w, status, f)
}

func answer(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// read parses the body of a request.
func read(w http.ResponseWriter, r *http.Request, most int64, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request, _ Peer) error {
	status, err := s.Agent.Status()
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, status)
	return nil
}

func (s *Server) selfCheck(w http.ResponseWriter, r *http.Request, _ Peer) error {
	answer(w, http.StatusOK, s.Agent.SelfCheck(r.Context()))
	return nil
}

func (s *Server) enroll(w http.ResponseWriter, r *http.Request, peer Peer) error {
	var asked Invitation
	if err := read(w, r, maxRequestBytes, &asked); err != nil {
		return err
	}
	if err := s.Agent.Enroll(r.Context(), asked, peer.Admin); err != nil {
		return err
	}
	s.Log.Info("enrolled by a user of this computer", "account", peer.Account)
	return s.status(w, r, peer)
}

func (s *Server) adopt(w http.ResponseWriter, r *http.Request, peer Peer) error {
	var id identity.Identity
	if err := read(w, r, maxRequestBytes, &id); err != nil {
		return err
	}
	if err := s.Agent.Adopt(r.Context(), id); err != nil {
		return err
	}
	s.Log.Info("took over the identity of a user's program", "account", peer.Account)
	return s.status(w, r, peer)
}

func (s *Server) allowNetworkRetest(w http.ResponseWriter, r *http.Request, peer Peer) error {
	var got networkRetest
	if err := read(w, r, maxRequestBytes, &got); err != nil {
		return err
	}
	if got.Allowed == nil {
		return fmt.Errorf("%w: allowed is missing", ErrInvalid)
	}
	if err := s.Agent.AllowNetworkRetest(*got.Allowed); err != nil {
		return err
	}
	s.Log.Info("a person has decided on checks without the microphone", "account", peer.Account, "allowed", *got.Allowed)
	return s.status(w, r, peer)
}

func (s *Server) take(w http.ResponseWriter, r *http.Request, _ Peer) error {
	var got handedOver
	if err := read(w, r, report.MaxBytes+1024, &got); err != nil {
		return err
	}
	doc, err := report.Decode(got.Report)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	outcome, err := s.Agent.Take(r.Context(), doc, got.Declined)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]string{"outcome": outcome})
	return nil
}

func (s *Server) reports(w http.ResponseWriter, r *http.Request, _ Peer) error {
	all, err := s.Agent.Reports(r.Context())
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, all)
	return nil
}

func (s *Server) report(w http.ResponseWriter, r *http.Request, _ Peer) error {
	doc, err := s.Agent.Report(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(doc)
	return nil
}

func (s *Server) events(w http.ResponseWriter, r *http.Request, _ Peer) error {
	since, err := timeIn(r, querySince)
	if err != nil {
		return err
	}
	got, err := s.Agent.Events(since)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, got)
	return nil
}

func (s *Server) history(w http.ResponseWriter, r *http.Request, _ Peer) error {
	at, err := timeIn(r, queryAt)
	if err != nil {
		return err
	}
	h, err := s.Agent.History(at)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, h)
	return nil
}

func (s *Server) log(w http.ResponseWriter, _ *http.Request, _ Peer) error {
	answer(w, http.StatusOK, s.Agent.LogLines())
	return nil
}

// timeIn parses a time in the query, in the form of RFC 3339.
func timeIn(r *http.Request, name string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, r.URL.Query().Get(name))
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %s: %w", ErrInvalid, name, err)
	}
	return t, nil
}
