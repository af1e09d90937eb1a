package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/alert"
	"github.com/tonprobe/tonprobe/server/api"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/bind"
	"github.com/tonprobe/tonprobe/server/cert"
	"github.com/tonprobe/tonprobe/server/cluster"
	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/observe"
	"github.com/tonprobe/tonprobe/server/oneport"
	"github.com/tonprobe/tonprobe/server/peer"
	"github.com/tonprobe/tonprobe/server/reflector"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
	"github.com/tonprobe/tonprobe/server/target"
	"github.com/tonprobe/tonprobe/server/web"
)

// Time limits of a connection. Event streams are exempt, by observe.KeepOpen.
const (
	headerTimeout   = 10 * time.Second
	requestTimeout  = time.Minute // 8 MiB over 1.2 Mbit/s
	idleTimeout     = 2 * time.Minute
	maxHeaderBytes  = 32 << 10
	shutdownTimeout = 8 * time.Second // of the 10 s that a service has to stop
	laterTimeout    = time.Second     // for processing after the last response, also part of these 10 s
)

// Server is a collector that is bound to its address.
type Server struct {
	config    Config
	lock      io.Closer
	store     *sqlstore.Store
	auth      *auth.Auth
	limits    *limit.Shared // of wrong passwords and codes
	live      *live.Hub
	agents    *live.Agents
	cluster   *cluster.Cluster // nil with SQLite
	common    *fleet.Watch
	enroller  enroll.Enroller
	reflector *reflector.Reflector
	meetings  *target.Meetings
	profiles  *target.Profiles
	alerting  *alert.Settings // nil if there are none
	alerts    *alert.Watch    // likewise
	listener  net.Listener    // of HTTP
	port      *oneport.Port   // shared by HTTP and TURN; nil without TLS
	http      *http.Server
	metrics   *metricsPort   // nil if there is none
	source    cert.Source    // nil if a proxy terminates TLS
	own       *cert.Own      // nil if the certificate comes from files or there is none
	later     sync.WaitGroup // work that continues after an answer
}

// New opens the store, migrates its tables, starts the reflector and binds the
// listener. Requests are answered once Serve is called. A caller that does not call
// Serve must call Close.
func New(ctx context.Context, c Config) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Server{config: c.withDefaults(), live: live.NewHub()}
	s.agents = live.NewAgents(live.AgentsConfig{Hub: s.live, Now: s.config.Now, Random: s.config.Rand, Log: s.config.Log})
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) error {
	c := s.config
	if err := datadir.Make(c.DataDir); err != nil {
		return err
	}
	var err error
	if s.lock, err = datadir.Hold(c.DataDir); err != nil {
		return err
	}
	if s.store, err = openStore(ctx, c); err != nil {
		return err
	}
	s.syncErased(ctx)
	sealKey, err := datadir.StaffKey(ctx, c.DataDir, auth.SealKeyBytes, c.Rand)
	if err != nil {
		return err
	}
	if err := s.joinCluster(ctx, sealKey); err != nil {
		return err
	}
	if s.common, err = s.watchFleet(); err != nil {
		return err
	}
	s.limits = limit.NewShared(s.store, sealKey, c.Now)
	s.auth = auth.New(auth.Config{Store: s.store, Now: c.Now, Random: c.Rand, Cost: auth.DefaultCost, SealKey: sealKey,
		Provider: c.provider(), PasswordsOff: c.SignIn.Only, Shared: s.limits})
	if err := s.readProfiles(); err != nil {
		return err
	}
	if err := s.readAlerts(); err != nil {
		return err
	}
	if _, err := c.rules(); err != nil { // an invalid file is reported at the start
		return err
	}
	s.meetings = target.NewMeetings(c.Now, c.Rand, c.Log)
	s.enroller = enroll.Enroller{Store: s.store, Now: c.Now, Random: c.Rand, CodeTTL: c.CodeTTL}
	secure, err := s.tls()
	if err != nil {
		return err
	}
	if err := s.listen(ctx, secure); err != nil {
		return err
	}
	if err := s.startReflector(secure); err != nil {
		return fmt.Errorf("start reflector: %w", err)
	}
	if err := s.listenMetrics(ctx); err != nil {
		return err
	}
	// After everything that may fail because of the machine: the password is generated
	// once, and would be overlooked above the error of a port that is in use.
	if err := s.addFirstUser(ctx); err != nil {
		return err
	}
	handler, err := s.handler()
	if err != nil {
		return err
	}
	s.http = &http.Server{Handler: oneport.WithState(handler), ConnContext: oneport.ConnContext,
		DisableGeneralOptionsHandler: true, // its response would lack our headers
		ReadHeaderTimeout:            headerTimeout, ReadTimeout: requestTimeout,
		WriteTimeout: requestTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug)} // invalid handshakes of other clients
	s.http.RegisterOnShutdown(s.live.Close)
	s.http.RegisterOnShutdown(s.agents.Close)
	return nil
}

// tls returns the certificate; nil if a proxy terminates TLS.
func (s *Server) tls() (*tls.Config, error) {
	if s.config.plainHTTP() {
		return nil, nil
	}
	source, err := s.certificate()
	if err != nil {
		return nil, err
	}
	s.source = source
	return cert.TLS(source), nil
}

func (s *Server) listen(ctx context.Context, secure *tls.Config) error {
	l, err := bind.TCP(ctx, s.config.Listen)
	if err != nil {
		return err
	}
	s.listener = l
	if secure != nil {
		s.port = oneport.New(l, secure, oneport.Limits{})
		s.listener = s.port.HTTP()
	}
	return nil
}

func (s *Server) startReflector(secure *tls.Config) (err error) {
	c := s.config
	r := reflector.Config{STUNListen: c.STUNListen, MediaListen: c.MediaListen, MediaIPs: c.MediaIPs,
		STUNAlternate: c.STUNAlternate, TURNSecret: c.TURNSecret, Log: c.Log, Now: c.Now, Rand: c.Rand}
	if c.TURNTLSListen != "" {
		r.TLSConfig, r.TURNTLSListen = secure, c.TURNTLSListen
	}
	if s.port != nil {
		r.WebTURN, r.WebPort = s.port.TURN(), s.webPort()
		// A proxy in front of us forwards HTTP only, even if it uses TLS to us.
		if r.WebPort == 0 || len(c.BehindProxy) > 0 {
			_ = r.WebTURN.Close()
			r.WebTURN = nil
		}
	}
	s.reflector, err = reflector.New(r)
	return err
}

// addFirstUser adds the first member of staff, unless there is one.
func (s *Server) addFirstUser(ctx context.Context) error {
	members, err := s.store.StaffMembers(ctx)
	if err != nil || len(members) > 0 {
		return err
	}
	password, err := s.auth.NewPassword()
	if err != nil {
		return err
	}
	if err := s.auth.AddStaff(ctx, FirstUser, store.RoleAdministrator, password); err != nil {
		return fmt.Errorf("add the first user: %w", err)
	}
	s.config.FirstPassword(FirstUser, password)
	return nil
}

func (s *Server) handler() (http.Handler, error) {
	c := s.config
	registry := prometheus.NewRegistry()
	registerMetrics(registry, s.reflector, s.live, s.agents, s.common)
	registry.MustRegister(participantCounts{s.store, c.Now, c.FreshFor, c.Log}, retentionRuns{s.store, c.keep(), c.Log})
	s.registerClusterMetrics(registry)
	mux := http.NewServeMux()
	api.New(api.Config{
		Store: s.store, Echo: echo{s.reflector, c.ICEServers, c.Now},
		Targets: target.Provider{File: target.In(c.DataDir), Now: c.Now, Random: c.Rand, Log: c.Log, Meetings: s.meetings, Profiles: s.profiles, Release: datadir.Release(c.DataDir)}, Live: s.live,
		Agents: s.agents, Log: c.Log, Now: c.Now, Random: c.Rand, Registry: registry, Rules: s.rules, Shared: s.limits,
		MediaHost: c.mediaHost(), SupportPhone: c.SupportPhone,
		Common: s.common.Findings, FreshFor: c.FreshFor, Zone: c.TimeZone,
		Probes: c.Glossary.Probes(), Policy: report.Policy{KeepPublicAddress: c.KeepFullAddresses},
		Ready: s.ready(),
	}).Mount(mux)
	s.alerts = s.watchAlerts(registry)
	pages, err := s.pages()
	if err != nil {
		return nil, fmt.Errorf("prepare pages: %w", err)
	}
	pages, err = auth.SameOrigin(c.publicOrigin(), web.Secure(http.HandlerFunc(foreignOrigin)), pages)
	if err != nil {
		return nil, fmt.Errorf("public address: %w", err)
	}
	mux.Handle("/", pages)
	source := s.source
	if len(c.BehindProxy) > 0 {
		source = nil // agents see the proxy's certificate in any case
	}
	announcer, err := cert.NewAnnouncer(filepath.Join(c.DataDir, "tls"), source, c.Log)
	if err != nil {
		return nil, err
	}
	s.metrics.handle(registry)
	all := peer.Resolve(c.BehindProxy, observe.New(c.Log, c.Now, registry).Handler(announcer.Handler(mux)))
	if c.plainHTTP() {
		all = peer.Only(c.BehindProxy, all)
	}
	return all, nil
}

func foreignOrigin(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "This was sent by a page of another site. Open the dashboard and try again there.", http.StatusForbidden)
}

// Serve serves until ctx is done, completes the running requests, and closes
// everything. It takes at most 10 s to stop.
func (s *Server) Serve(ctx context.Context) error {
	cleaning, stopCleaning := context.WithCancel(ctx)
	// They use the store, which Close closes.
	var background sync.WaitGroup
	end := func() error {
		stopCleaning()
		waitFor(&background)
		return s.Close()
	}
	background.Go(func() { tuneGC(cleaning) })
	background.Go(func() { s.clean(cleaning) })
	background.Go(func() { s.common.Run(cleaning) })
	background.Go(func() {
		(&lateSessions{store: s.store, agents: s.agents, now: s.config.Now, log: s.config.Log}).run(cleaning)
	})
	if s.alerts != nil {
		background.Go(func() { s.alerts.Run(cleaning) })
	}
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(observe.Listener(s.listener)) }()
	go s.metrics.serve()
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve: %w", err), end())
	case <-ctx.Done():
	}
	s.config.Log.Info("stopping")
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := s.http.Shutdown(stopping); err != nil {
		s.config.Log.Warn("some requests were cut off", "err", err)
		_ = s.http.Close()
	}
	return end()
}

// Close releases everything if Serve was not called.
func (s *Server) Close() error {
	var errs []error
	s.live.Close()
	s.agents.Close()
	if s.cluster != nil {
		s.cluster.Close()
	}
	if s.port != nil {
		errs = append(errs, s.port.Close())
	} else if s.listener != nil {
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	errs = append(errs, s.metrics.close())
	if s.meetings != nil {
		s.meetings.Close()
	}
	if s.reflector != nil {
		errs = append(errs, s.reflector.Close())
	}
	waitFor(&s.later)
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// waitFor waits for work that uses the store, unless the store does not respond.
func waitFor(work *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(laterTimeout):
	}
}

// AddParticipant adds a participant and returns the code for their first agent.
func (s *Server) AddParticipant(ctx context.Context, name, phone string) (p store.Participant, code string, expires time.Time, err error) {
	i, err := s.enroller.Invite(ctx, name, phone)
	return i.Participant, i.Code, i.ExpiresAt, err
}

// OneTimeLogin returns an address that signs FirstUser in, once, within 15 minutes.
func (s *Server) OneTimeLogin(ctx context.Context) (string, error) {
	token, err := s.auth.NewOneTimeLogin(ctx, FirstUser)
	if err != nil {
		return "", fmt.Errorf("one-time login: %w", err)
	}
	return s.PublicURL() + auth.OneTimeLoginPath + "?" + auth.OneTimeLoginParam + "=" + token, nil
}
