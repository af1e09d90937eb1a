package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Connection states whose identity and spool a program uses.
type Connection string

// Connections.
const (
	Own     Connection = "own"     // its own; there is no service
	Service Connection = "service" // those of the service
	// Merged means that the service had no identity and has taken over the program's.
	Merged Connection = "merged"
	// DuplicateEnrolment means that the program has an identity that is no longer used,
	// because the service has another one. Phone support sees two computers.
	DuplicateEnrolment Connection = "duplicate_enrolment"
	// NotMerged means that the service had no identity and did not take over the program's,
	// which is used. It may be an older version that still runs.
	NotMerged Connection = "not_merged"
	// NotAdmitted means that there is a service, but it does not serve this account, or is not
	// the machine's. The program's own identity is used.
	NotAdmitted Connection = "not_admitted"
)

// Connect opens the station of a program that a person started: that of the machine's
// service if there is one, and otherwise, as Open does, the person's own.
func Connect(ctx context.Context, c config.Config, log *slog.Logger) (*Station, Connection, error) {
	if c.Socket == "" {
		s, err := Open(c, log)
		return s, Own, err
	}
	service := local.NewClient(c.Socket)
	status, err := service.Status(ctx)
	if err != nil {
		log.Debug("the service is not used", "err", err)
		how := Own
		if errors.Is(err, local.ErrNotAdmitted) || errors.Is(err, local.ErrForeignSocket) {
			how = NotAdmitted
		}
		s, err := Open(c, log)
		return s, how, err
	}
	s := &Station{Config: c, service: service, log: log}
	how := Service
	if s.own = c.Data != status.Data; s.own {
		how = s.merge(ctx, &status)
	}
	if how == NotMerged {
		s, err := Open(c, log)
		if s != nil {
			s.keepToken = true
		}
		return s, how, err
	}
	if s.ca, err = collector.ReadCA(c.CA); err != nil {
		return nil, how, err
	}
	s.use(status)
	return s, how, s.oneCollector()
}

// merge passes the person's identity to a service that has none, so that phone support
// sees a single computer.
func (s *Station) merge(ctx context.Context, status *local.Status) Connection {
	id, err := identity.Load(s.Config.Data)
	switch {
	case err != nil, id.Enrolment == nil:
		return Service // a damaged identity is not needed here, and is not changed
	case id.AgentID == status.AgentID:
		s.leaveRenewal(id.Enrolment)
		return Service
	case status.Enrolment != nil:
		return DuplicateEnrolment
	}
	// Another program of the person must not replace the token meanwhile: the service would
	// take over the former one.
	unlock, err := durable.Lock(filepath.Join(s.Config.Data, tokenLock))
	if err != nil {
		s.log.Warn("the identity cannot be handed over", "err", err)
		return NotMerged
	}
	defer unlock()
	if id, err = identity.Load(s.Config.Data); err != nil || id.Enrolment == nil { // another program was faster
		if again, err := s.service.Status(ctx); err == nil {
			*status = again
		}
		return Service
	}
	taken, err := s.handOverIdentity(ctx, *id)
	if err != nil { // perhaps only the answer was lost
		again, lost := s.service.Status(ctx)
		if lost == nil && again.AgentID == id.AgentID && again.Enrolment != nil {
			taken, err = again, nil
		}
	}
	if err != nil {
		s.log.Warn("the service does not take over the identity", "err", err)
		return NotMerged
	}
	*status = taken
	// From now on only the service has the token.
	if err := identity.Retire(s.Config.Data, id.Enrolment.Token); err != nil {
		s.log.Warn("the identity that the service has taken over remains here too", "err", err)
	}
	return Merged
}

// leaveRenewal makes the renewal of the token the task of the service, which has taken over the identity,
// although the answer was lost. The program uses its own copy while the service is stopped: if it renewed the
// token, that of the service would become invalid.
func (s *Station) leaveRenewal(e *identity.Enrolment) {
	now := time.Now().UTC()
	if e.RenewAt.Sub(now) > minTokenAge {
		return
	}
	s.id = &identity.Identity{Enrolment: e}
	if err := s.updateEnrolment(func(e *identity.Enrolment) { e.RenewAt = now.Add(maxTokenAge) }); err != nil {
		s.log.Warn("the program may replace the token of the service", "err", err)
	}
}

// handOverIdentity gives an identity to the service. An older service does not support former tokens,
// and gets only the token that the collector accepts.
func (s *Station) handOverIdentity(ctx context.Context, id identity.Identity) (local.Status, error) {
	e := *id.Enrolment
	id.Enrolment = &e
	e.RenewAt = time.Time{} // decided by the service
	taken, err := s.service.Adopt(ctx, id)
	if !errors.Is(err, local.ErrInvalid) || e.FormerToken == "" {
		return taken, err
	}
	own, openErr := Open(s.Config, s.log)
	if openErr != nil || !own.Enrolled() {
		return taken, errors.Join(err, openErr)
	}
	ctx, cancel := context.WithTimeout(ctx, renewTime)
	defer cancel()
	at := own.Collector()
	client := at.Client()
	defer client.CloseIdleConnections()
	used, askErr := askToken(ctx, at, client, http.MethodGet, http.StatusOK, new(wire.TokenState))
	if askErr != nil {
		return taken, fmt.Errorf("the service is an older version, restart it: %w", errors.Join(err, askErr))
	}
	e.Token, e.FormerToken = used, ""
	return s.service.Adopt(ctx, id)
}

// UsesService reports whether identity and spool are those of the service.
func (s *Station) UsesService() bool { return s.service != nil }

// use stores the machine's identity and targets as reported by the service.
func (s *Station) use(status local.Status) {
	s.id, s.targets = &identity.Identity{AgentID: status.AgentID}, status.Targets
	s.named = false
	trusted := s.ca
	if e := status.Enrolment; e != nil {
		s.id.Enrolment = &identity.Enrolment{
			Server: e.Server, Participant: e.Participant, CA: e.CA, Pins: e.Pins,
			EnrolledAt: e.EnrolledAt, SupportPhone: e.SupportPhone,
		}
		trusted += e.CA
	}
	s.roots = collector.RootCAs(trusted)
}

// enrollService enrols the machine instead of the person.
func (s *Station) enrollService(ctx context.Context, asked enroll.Invitation) error {
	status, err := s.service.Enroll(ctx, local.Invitation{Server: asked.Server, Code: asked.Code, Pins: asked.Pins, CA: s.ca})
	if err != nil {
		return err
	}
	s.use(status)
	return nil
}

// throughService returns the collector as a program reaches it: requests that need the
// token go through the service, measurements go directly.
func (s *Station) throughService() *collector.Endpoint {
	e := &collector.Endpoint{URL: s.id.Enrolment.Server, RootCAs: s.roots, Pins: s.id.Enrolment.Pins, SupportPhone: s.learnPhone}
	if base, err := e.Base(); err == nil {
		e.Via = s.service.Via(base)
	}
	return e
}
