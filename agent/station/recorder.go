package station

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v4/host"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/recorder"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/host/crash"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Recorder returns the flight recorder of the background service.
func Recorder(c config.Config, version string, conditions *Conditions, log *slog.Logger) *recorder.Recorder {
	clock, board := probe.SystemClock{}, conditions.Board
	server := &collectorAddr{data: c.Data, clock: clock}
	return &recorder.Recorder{
		Data: c.Data, Board: board, Clock: clock, Watchers: watch.All(board, clock), Log: log,
		NewID: func(now time.Time) (string, error) { return report.NewID(now, rand.Reader) },
		Ask:   linkstate.Ask, Server: server.get, Booted: booted, InSession: conditions.inSession,
		Crashes: func(ctx context.Context, since, now time.Time) *report.HostCrash {
			return crash.Read(ctx, nil, since, now)
		},
		Send: func(ctx context.Context, i recorder.Incident) error {
			// The diagnosis needs memory that the service does not need otherwise.
			defer debug.FreeOSMemory()
			return sendIncident(ctx, c, version, log, i)
		},
	}
}

// sendIncident stores the report of an event, and starts an attempt to deliver it.
func sendIncident(ctx context.Context, c config.Config, version string, log *slog.Logger, i recorder.Incident) error {
	st, err := Open(c, log)
	if err != nil {
		return err
	}
	r, err := incidentReport(i, st.AgentID(), version, c.Profile, time.Now())
	if err != nil {
		return fmt.Errorf("report an event: %w", err)
	}
	if stored, err := hasReport(ctx, c, r.ID, log); err == nil && stored { // by a run that was killed
		return nil
	}
	log.Info("an event is reported", "case", r.Case, "kind", i.Event.Kind)
	// With a full disk the recorder waits for the answer, because it tries again without one.
	sp, err := st.keepOrSend(ctx, r, minSendTime)
	if err != nil || sp == nil || c.NoUpload || !st.Enrolled() {
		return err
	}
	// Otherwise it does not wait: an answer may take longer than the time between two
	// samples.
	guard.Go(log, func() { st.deliverSoon(ctx, sp, r.ID) })
	return nil
}

// hasReport reports whether the spool contains a report, in any state.
func hasReport(ctx context.Context, c config.Config, id string, log *slog.Logger) (bool, error) {
	sp, err := OpenSpool(ctx, c, log)
	if err != nil {
		return false, err
	}
	all, err := sp.All()
	return slices.ContainsFunc(all, func(e spool.Entry) bool { return e.ID == id }), err
}

// deliverSoonTime limits an attempt, which may be made during a session.
const deliverSoonTime = 30 * time.Second

// deliverSoon tries once, so that support sees the report while the person is on the
// phone. The next check sends what is left.
func (s *Station) deliverSoon(ctx context.Context, sp *spool.Spool, id string) {
	ctx, cancel := context.WithTimeout(ctx, deliverSoonTime)
	defer cancel()
	if err := s.uplink(sp).Deliver(ctx, id); err != nil && ctx.Err() == nil {
		s.log.Info("report of an event not sent yet", "err", err)
	}
}

// incidentReport returns the report of an event, with the same rules as that of a check.
func incidentReport(i recorder.Incident, agentID, version, profile string, now time.Time) (*report.Report, error) {
	limits, err := diagnose.LoadProfile(profile)
	if err != nil {
		return nil, err
	}
	code, err := report.NewCase(rand.Reader)
	if err != nil {
		return nil, err
	}
	result := func(name string, data report.Data) report.Result {
		return report.Result{Name: name, Version: 1, Status: report.StatusOK, StartedAt: now.UTC(), Data: data}
	}
	r := &report.Report{
		Schema: report.SchemaV1, ID: i.ReportID, Case: code,
		Agent:   report.Agent{ID: agentID, Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH},
		Trigger: report.TriggerEvent, Profile: profile, StartedAt: now.UTC(),
		Verdict: report.Unknown, Causes: []report.Cause{},
		Probes: []report.Result{result(report.ProbeHostCrash, i.Crash), result(report.ProbeHostHistory, i.History)},
	}
	r = report.Redact(r, report.Policy{})
	diagnose.Finish(r, limits)
	return r, r.Validate()
}

// booted returns when this computer was started; zero if unknown.
func booted() time.Time {
	s, err := host.BootTime()
	if err != nil || s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0)
}

// collectorAddr finds the address of the collector without waiting for a name server.
type collectorAddr struct {
	data  string
	clock probe.Clock

	mu      sync.Mutex
	addr    netip.Addr
	at      time.Time
	looking bool
}

const (
	lookupEvery  = 30 * time.Minute
	lookupWithin = 5 * time.Second
)

// get returns the last known address, and starts another lookup if that is old.
func (a *collectorAddr) get(ctx context.Context) netip.Addr {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.Now()
	if !a.looking && (a.at.IsZero() || now.Sub(a.at).Abs() >= lookupEvery) {
		a.looking = true
		go a.look(ctx)
	}
	return a.addr
}

func (a *collectorAddr) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookupWithin)
	defer cancel()
	addr := a.resolve(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.looking, a.at = false, a.clock.Now()
	if addr.IsValid() {
		a.addr = addr
	}
}

// resolve reads the identity each time, so that an enrolment takes effect.
func (a *collectorAddr) resolve(ctx context.Context) netip.Addr {
	id, err := identity.Load(a.data)
	if err != nil || id.Enrolment == nil {
		return netip.Addr{}
	}
	u, err := collector.ParseURL(id.Enrolment.Server)
	if err != nil {
		return netip.Addr{}
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil || len(addrs) == 0 {
		return netip.Addr{}
	}
	return addrs[0].Unmap()
}
