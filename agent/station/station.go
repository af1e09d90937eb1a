// Package station combines the parts of an agent on this machine: its identity, its
// collector, its spool, and the delivery of reports. A person's program and the
// background service both use it.
package station

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"log/slog"
	randv2 "math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/probe/report"
)

// spoolFolder is the name of the spool in the data folder.
const spoolFolder = "spool"

// Station is this machine as an agent.
type Station struct {
	Config config.Config

	id    *identity.Identity
	ca    string // certificates given with --ca, in PEM form
	roots *x509.CertPool
	log   *slog.Logger
	// service, if not nil, owns identity and spool; id is then the identity that it
	// reports.
	service *local.Client
	targets wire.Targets // the targets that the service reported
	own     bool         // the person has a spool beside that of the service
	// keepTrust means that enrolling again at the same collector only replaces the token:
	// a person who enrols must not change the trust for all users of this computer.
	keepTrust bool

	// keepToken means that the service may have taken over the identity. A renewal would make its token
	// invalid.
	keepToken bool

	keeping sync.Mutex // held while the identity file is changed
	phone   string     // phone number of support announced since the start
	named   bool       // phone is known, and may be ""

	renewalAsked atomic.Bool // the collector has asked for a new token
}

// Open reads the identity, and creates one if there is none. With identity.ErrNotSaved the station
// can be used for one check.
func Open(c config.Config, log *slog.Logger) (*Station, error) {
	ca, err := collector.ReadCA(c.CA)
	if err != nil {
		return nil, err
	}
	id, err := identity.LoadOrCreate(c.Data, rand.Reader, time.Now())
	if err != nil && !errors.Is(err, identity.ErrNotSaved) {
		return nil, err
	}
	s := &Station{Config: c, id: id, ca: ca, log: log}
	s.trust()
	return s, errors.Join(err, s.oneCollector())
}

// EnrolledElsewhereError means that the configured collector is not the one of the enrolment.
type EnrolledElsewhereError struct{ Asked, Enrolled string }

func (e *EnrolledElsewhereError) Error() string {
	return "the collector " + e.Asked + " is configured, but this computer is enrolled at " + e.Enrolled
}

// ConfiguredElsewhereError means that an invitation belongs to another collector than the
// configured one, which the next start would refuse.
type ConfiguredElsewhereError struct{ Asked, Configured string }

func (e *ConfiguredElsewhereError) Error() string {
	return "the invitation belongs to " + e.Asked + ", but the collector " + e.Configured + " is configured"
}

// oneCollector returns an error if the configured collector is not that of the enrolment,
// so that the token of one collector is never sent to another.
func (s *Station) oneCollector() error {
	if s.id.Enrolment == nil || s.Config.Server == "" {
		return nil
	}
	asked, err := collector.ParseURL(s.Config.Server)
	if err != nil {
		return err
	}
	enrolled, err := collector.ParseURL(s.id.Enrolment.Server)
	if err != nil {
		return err
	}
	if asked.String() != enrolled.String() {
		return &EnrolledElsewhereError{Asked: asked.String(), Enrolled: s.id.Enrolment.Server}
	}
	return nil
}

// Enrolled reports whether this machine has a collector that accepts its reports.
func (s *Station) Enrolled() bool { return s.id.Enrolment != nil }

// AgentID returns the agent's ID.
func (s *Station) AgentID() string { return s.id.AgentID }

// Enrolment returns the enrolment; nil if there is none.
func (s *Station) Enrolment() *identity.Enrolment { return s.id.Enrolment }

// enrollTime limits the request, for which a person waits.
const enrollTime = 20 * time.Second

// Enroll enrols this computer for the participant of asked. The token of an earlier enrolment is
// replaced only after the collector has issued a new one. On an error s is unchanged.
func (s *Station) Enroll(ctx context.Context, asked enroll.Invitation, version string) error {
	if s.Config.Server != "" && !sameCollector(asked.Server, s.Config.Server) {
		return &ConfiguredElsewhereError{Asked: asked.Server, Configured: s.Config.Server}
	}
	if s.service != nil {
		return s.enrollService(ctx, asked)
	}
	ctx, cancel := context.WithTimeout(ctx, enrollTime)
	defer cancel()
	at := &collector.Endpoint{URL: asked.Server, RootCAs: s.roots, Pins: asked.Pins}
	id, err := enroll.Run(ctx, at, asked.Code, *s.id, version, time.Now())
	if err != nil {
		return err
	}
	// Stored, so that a person need not specify the file for every check.
	id.Enrolment.CA += s.ca
	if id.Enrolment.CA == "" && s.Enrolled() && s.id.Enrolment.Server == id.Enrolment.Server {
		id.Enrolment.CA = s.id.Enrolment.CA
	}
	if err := identity.Update(s.Config.Data, func(stored *identity.Identity) error {
		if s.keepTrust && stored.Enrolment != nil {
			id.Enrolment.CA, id.Enrolment.Pins = stored.Enrolment.CA, stored.Enrolment.Pins
		}
		*stored = *id
		return nil
	}); err != nil {
		return err
	}
	s.id, s.roots = id, collector.RootCAs(s.ca+id.Enrolment.CA)
	s.forgetTargets()
	return nil
}

// Collector returns the endpoint to measure to: with a token after enrolment, without one if
// only an address is known, nil otherwise.
func (s *Station) Collector() *collector.Endpoint {
	switch {
	case s.Enrolled() && s.service != nil:
		return s.throughService()
	case s.Enrolled():
		token := s.id.Enrolment.Token
		if stored := s.tokens(); len(stored) > 0 { // it may have been replaced since the start
			token = stored[0]
		}
		return &collector.Endpoint{
			URL: s.id.Enrolment.Server, Token: token, RootCAs: s.roots, Pins: s.id.Enrolment.Pins,
			Learn: s.learn, SupportPhone: s.learnPhone, Tokens: s.tokens, Renew: func() { s.renewalAsked.Store(true) },
		}
	case s.Config.Server != "":
		return &collector.Endpoint{URL: s.Config.Server, RootCAs: s.roots}
	}
	return nil
}

// learn stores newly learned keys of the collector for the next start; a running check
// continues with the old ones.
func (s *Station) learn(pins *trust.Pins, authorities []*x509.Certificate) {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	if err := s.updateEnrolment(func(e *identity.Enrolment) {
		e.Pins, e.CA = pins, collector.WithAuthorities(e.CA, authorities)
	}); err != nil {
		s.log.Warn("the collector's keys could not be stored", "err", err)
	}
}

// SupportPhone returns the number to show with a result; "" if unknown.
func (s *Station) SupportPhone() string {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	switch {
	case s.named:
		return s.phone
	case s.Enrolled():
		return s.id.Enrolment.SupportPhone
	}
	return ""
}

// learnPhone stores the phone number of support, because it is most important while the collector
// cannot be reached.
func (s *Station) learnPhone(phone string) {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	if s.named && s.phone == phone {
		return
	}
	s.phone, s.named = phone, true
	if s.service != nil {
		return // the service stores it
	}
	if err := s.updateEnrolment(func(e *identity.Enrolment) { e.SupportPhone = phone }); err != nil {
		s.log.Warn("the number of phone support could not be stored", "err", err)
	}
}

// updateEnrolment changes the stored enrolment, unless it has been replaced since s was
// opened.
func (s *Station) updateEnrolment(change func(*identity.Enrolment)) error {
	return identity.Update(s.Config.Data, func(id *identity.Identity) error {
		if sameEnrolment(id.Enrolment, s.id.Enrolment) {
			change(id.Enrolment)
		}
		return nil
	})
}

// Recipient returns the host that will receive the report; "" if none will.
func (s *Station) Recipient() string {
	if !s.Enrolled() {
		return ""
	}
	u, err := collector.ParseURL(s.id.Enrolment.Server)
	if err != nil {
		return ""
	}
	return u.Host
}

// OpenSpool opens the spool in the data folder.
func OpenSpool(ctx context.Context, c config.Config, log *slog.Logger) (*spool.Spool, error) {
	return spool.Open(ctx, filepath.Join(c.Data, spoolFolder), spool.Limits{
		Reports: c.Spool.MaxReports, Bytes: c.Spool.MaxBytes, Age: time.Duration(c.Spool.MaxAge),
	}, log)
}

// uplink returns an uplink that sends the waiting reports of sp.
func (s *Station) uplink(sp *spool.Spool) *uplink.Uplink {
	return &uplink.Uplink{
		Collector: s.Collector(), Spool: sp, AgentID: s.id.AgentID,
		Clock: probe.SystemClock{}, Random: randv2.Float64, Log: s.log,
	}
}

// keep stores r, either to be sent or for display only. If the program showed that nobody receives the
// report, it is not sent even after a later enrolment.
func (s *Station) keep(ctx context.Context, sp *spool.Spool, r *report.Report) error {
	doc, err := r.Encode()
	if err != nil {
		return err
	}
	if s.Config.NoUpload || !s.Enrolled() {
		return sp.Keep(ctx, r.ID, doc)
	}
	return sp.Put(ctx, r.ID, doc)
}

func sameCollector(a, b string) bool {
	x, errX := collector.ParseURL(a)
	y, errY := collector.ParseURL(b)
	return errX == nil && errY == nil && x.String() == y.String()
}

// CheckOptions returns the options of a check according to the configuration.
func (s *Station) CheckOptions(version string) check.Options {
	records := Records{service: s.service, data: s.Config.Data}
	o := check.Options{
		Profile: s.Config.Profile, Target: s.Config.Target, Device: s.Config.Device, NoAudio: s.Config.NoAudio,
		SpeakFor: time.Duration(s.Config.SpeakSeconds) * time.Second, Trigger: report.TriggerCheck,
		Version: version, AgentID: s.id.AgentID, Collector: s.Collector(), Env: probe.Env{Log: s.log},
		KnownTargets: s.knownTargets(), LearnTargets: s.learnTargets,
		Recorded: records.Events, History: records.history,
	}
	if s.service != nil {
		o.KnownTargets, o.LearnTargets = s.targets, nil
	}
	return o
}
