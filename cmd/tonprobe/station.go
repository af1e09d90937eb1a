package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"log/slog"
	randv2 "math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/agent/uplink"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/probe/report"
)

// spoolFolder is the spool in the data folder.
const spoolFolder = "spool"

// station is this machine as an agent: who it is and whom it reports to.
type station struct {
	config config.Config
	id     *identity.Identity
	ca     string // certificates given now, in PEM form
	roots  *x509.CertPool
	log    *slog.Logger

	keeping sync.Mutex // held while the identity on disk is changed
	phone   string     // of phone support, as named since the start
	named   bool       // phone is known, and may be ""
}

// openStation reads the identity, and makes one on a machine that has none.
// With identity.ErrNotSaved the station is good for one check.
func openStation(c config.Config, log *slog.Logger) (*station, error) {
	ca, err := collector.ReadCA(c.CA)
	if err != nil {
		return nil, err
	}
	id, err := identity.LoadOrCreate(c.Data, rand.Reader, time.Now())
	if err != nil && !errors.Is(err, identity.ErrNotSaved) {
		return nil, err
	}
	trusted := ca
	if id.Enrolment != nil {
		trusted += id.Enrolment.CA
	}
	s := &station{config: c, id: id, ca: ca, roots: collector.RootCAs(trusted), log: log}
	return s, errors.Join(err, s.oneCollector())
}

// oneCollector refuses to carry the token of one collector to another.
func (s *station) oneCollector() error {
	if s.id.Enrolment == nil || s.config.Server == "" {
		return nil
	}
	asked, err := collector.ParseURL(s.config.Server)
	if err != nil {
		return err
	}
	enrolled, err := collector.ParseURL(s.id.Enrolment.Server)
	if err != nil {
		return err
	}
	if asked.String() != enrolled.String() {
		return &usageError{key: "collector.other", args: []any{"asked", asked, "enrolled", s.id.Enrolment.Server}}
	}
	return nil
}

func (s *station) enrolled() bool { return s.id.Enrolment != nil }

// enrollTime bounds the one request; a person waits for it.
const enrollTime = 20 * time.Second

// enrol makes this the computer of the person whom asked was made out for. The
// token of an earlier enrolment is replaced only when the collector has given a
// new one. On an error s is as it was.
func (s *station) enrol(ctx context.Context, asked enroll.Invitation, version string) error {
	ctx, cancel := context.WithTimeout(ctx, enrollTime)
	defer cancel()
	at := &collector.Endpoint{URL: asked.Server, RootCAs: s.roots, Pins: asked.Pins}
	id, err := enroll.Run(ctx, at, asked.Code, *s.id, version, time.Now())
	if err != nil {
		return err
	}
	// Remembered, so that a person need not name the file before every check.
	id.Enrolment.CA += s.ca
	if id.Enrolment.CA == "" && s.enrolled() && s.id.Enrolment.Server == id.Enrolment.Server {
		id.Enrolment.CA = s.id.Enrolment.CA
	}
	if err := id.Save(s.config.Data); err != nil {
		return err
	}
	s.id, s.roots = id, collector.RootCAs(s.ca+id.Enrolment.CA)
	return nil
}

// collector is where to measure to: with a token after enrolment, without one
// when only an address is known, nil otherwise.
func (s *station) collector() *collector.Endpoint {
	switch {
	case s.enrolled():
		return &collector.Endpoint{
			URL: s.id.Enrolment.Server, Token: s.id.Enrolment.Token, RootCAs: s.roots, Pins: s.id.Enrolment.Pins,
			Learn: s.learn, SupportPhone: s.learnPhone,
		}
	case s.config.Server != "":
		return &collector.Endpoint{URL: s.config.Server, RootCAs: s.roots}
	}
	return nil
}

// learn keeps what was found out about the collector's keys, for the next start: a
// running check goes on with what it knew. The identity is read again, so that an
// enrolment that happened meanwhile is not undone.
func (s *station) learn(pins *trust.Pins, authorities []*x509.Certificate) {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	id, err := identity.Load(s.config.Data)
	if err == nil && (id.Enrolment == nil || id.Enrolment.Token != s.id.Enrolment.Token) {
		return
	}
	if err == nil {
		id.Enrolment.Pins = pins
		id.Enrolment.CA = collector.WithAuthorities(id.Enrolment.CA, authorities)
		err = id.Save(s.config.Data)
	}
	if err != nil {
		s.log.Warn("the collector's keys are not kept", "err", err)
	}
}

// supportPhone is the number to show with a result; "" when none is known.
func (s *station) supportPhone() string {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	switch {
	case s.named:
		return s.phone
	case s.enrolled():
		return s.id.Enrolment.SupportPhone
	}
	return ""
}

// learnPhone keeps the number of phone support for the time when the collector
// cannot be reached: then it is needed most.
func (s *station) learnPhone(phone string) {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	if s.named && s.phone == phone {
		return
	}
	s.phone, s.named = phone, true
	id, err := identity.Load(s.config.Data)
	if err == nil && (id.Enrolment == nil || id.Enrolment.Token != s.id.Enrolment.Token || id.Enrolment.SupportPhone == phone) {
		return
	}
	if err == nil {
		id.Enrolment.SupportPhone = phone
		err = id.Save(s.config.Data)
	}
	if err != nil {
		s.log.Warn("the number of phone support is not kept", "err", err)
	}
}

// recipient is the host that will get the report; "" when none does.
func (s *station) recipient() string {
	if !s.enrolled() {
		return ""
	}
	u, err := collector.ParseURL(s.id.Enrolment.Server)
	if err != nil {
		return ""
	}
	return u.Host
}

func openSpool(ctx context.Context, c config.Config, log *slog.Logger) (*spool.Spool, error) {
	return spool.Open(ctx, filepath.Join(c.Data, spoolFolder), spool.Limits{
		Reports: c.Spool.MaxReports, Bytes: c.Spool.MaxBytes, Age: time.Duration(c.Spool.MaxAge),
	}, log)
}

// uplink sends what waits in sp.
func (s *station) uplink(sp *spool.Spool) *uplink.Uplink {
	return &uplink.Uplink{
		Collector: s.collector(), Spool: sp, AgentID: s.id.AgentID,
		Clock: probe.SystemClock{}, Random: randv2.Float64, Log: s.log,
	}
}

// keep puts r on disk: to be sent, or only to be looked at. A person who was
// told that nobody gets the report is held to that even after an enrolment.
func (s *station) keep(ctx context.Context, sp *spool.Spool, r *report.Report) error {
	doc, err := r.Encode()
	if err != nil {
		return err
	}
	if s.config.NoUpload || !s.enrolled() {
		return sp.Keep(ctx, r.ID, doc)
	}
	return sp.Put(ctx, r.ID, doc)
}
