package station

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/probe/host/crash"
	"github.com/tonprobe/tonprobe/probe/report"
)

// LocalAgent is the service's side of the local socket. It opens the station anew for each
// request, because the identity may change at any time.
type LocalAgent struct {
	Config  config.Config
	Version string
	Log     *slog.Logger
	// RecentLog has the last lines of the service's log; nil without them.
	RecentLog *resident.RecentLog

	changing sync.Mutex // held while the identity is replaced
}

var _ local.Agent = (*LocalAgent)(nil)

// Status implements local.Agent.
func (a *LocalAgent) Status() (local.Status, error) {
	st, err := Open(a.Config, a.Log)
	if err != nil && !errors.Is(err, identity.ErrNotSaved) {
		return local.Status{}, err
	}
	return local.Status{
		Version: a.Version, AgentID: st.AgentID(), Data: a.Config.Data, Enrolment: local.Public(st.Enrolment()), Targets: st.knownTargets(),
		NetworkRetest: AllowsNetworkRetest(a.Config),
	}, nil
}

// AllowNetworkRetest implements local.Agent.
func (a *LocalAgent) AllowNetworkRetest(allow bool) error {
	if a.Config.AllowNetworkRetest && !allow {
		return local.ErrFixed
	}
	return AllowNetworkRetest(a.Config, allow)
}

// Enroll implements local.Agent.
func (a *LocalAgent) Enroll(ctx context.Context, asked local.Invitation, anywhere bool) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	c, keepTrust := a.Config, false
	if !anywhere {
		st, err := Open(c, a.Log)
		if err != nil {
			return err
		}
		if e := st.Enrolment(); e != nil {
			if !sameCollector(e.Server, asked.Server) {
				return fmt.Errorf("%w: %s", local.ErrOtherCollector, e.Server)
			}
			keepTrust, asked.CA, asked.Pins = true, "", e.Pins
		}
		if c.Server != "" && !sameCollector(c.Server, asked.Server) {
			return fmt.Errorf("%w: %s", local.ErrOtherCollector, c.Server)
		}
	}
	c.Server = "" // the collector may change
	st, err := Open(c, a.Log)
	if err != nil {
		return err
	}
	st.keepTrust = keepTrust
	if asked.CA != "" {
		st.ca += asked.CA
		st.roots = collector.RootCAs(st.ca)
	}
	return st.Enroll(ctx, enroll.Invitation{Server: asked.Server, Code: asked.Code, Pins: asked.Pins}, a.Version)
}

// Adopt implements local.Agent.
func (a *LocalAgent) Adopt(_ context.Context, id identity.Identity) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	st, err := Open(a.Config, a.Log)
	switch {
	case err != nil:
		return err
	case st.Enrolled():
		return local.ErrEnrolled
	case id.Enrolment == nil:
		return fmt.Errorf("%w: no enrolment", local.ErrInvalid)
	case a.Config.Server != "" && !sameCollector(a.Config.Server, id.Enrolment.Server):
		return fmt.Errorf("%w: %s", local.ErrOtherCollector, a.Config.Server)
	}
	err = identity.Update(a.Config.Data, func(stored *identity.Identity) error {
		if stored.Enrolment != nil {
			return local.ErrEnrolled
		}
		*stored = id
		return nil
	})
	if err == nil || errors.Is(err, identity.ErrNotSaved) || errors.Is(err, local.ErrEnrolled) {
		return err
	}
	return fmt.Errorf("%w: %w", local.ErrInvalid, err)
}

// Collector implements local.Agent.
func (a *LocalAgent) Collector() (*collector.Endpoint, error) {
	st, err := Open(a.Config, a.Log)
	if err != nil {
		return nil, err
	}
	if !st.Enrolled() {
		return nil, nil
	}
	return st.Collector(), nil
}

// Take implements local.Agent.
func (a *LocalAgent) Take(ctx context.Context, r *report.Report, declined bool) (string, error) {
	c := a.Config
	c.NoUpload = c.NoUpload || declined
	st, err := Open(c, a.Log)
	if err != nil {
		return "", err
	}
	if r.Agent.ID != st.AgentID() {
		return "", local.ErrOtherAgent
	}
	// The service itself makes the reports with other triggers.
	if r.Trigger != report.TriggerCheck && r.Trigger != report.TriggerSupport {
		return "", fmt.Errorf("%w: trigger %s", local.ErrInvalid, report.CleanText(string(r.Trigger)))
	}
	if err := report.KnownProbes().Validate(r); err != nil {
		return "", fmt.Errorf("%w: %w", local.ErrInvalid, err)
	}
	delivery := &Delivery{Station: st}
	outcome := delivery.Deliver(ctx, r)
	if delivery.KeepErr != nil && outcome != SentNotKept {
		return "", delivery.KeepErr // the program keeps it
	}
	return string(outcome), nil
}

// Reports implements local.Agent.
func (a *LocalAgent) Reports(ctx context.Context) (local.Reports, error) {
	sp, err := OpenSpool(ctx, a.Config, a.Log)
	if err != nil {
		return local.Reports{}, err
	}
	entries, err := sp.All()
	if err != nil {
		return local.Reports{}, err
	}
	drops, counts, err := sp.Drops()
	if err != nil {
		return local.Reports{}, err
	}
	all := local.Reports{Reports: make([]local.Listed, len(entries)), Drops: drops, Counts: counts}
	for i, e := range entries {
		all.Reports[i] = local.Listed{ID: e.ID, State: e.State, Time: e.Time, Bytes: e.Bytes}
	}
	return all, nil
}

// Report implements local.Agent.
func (a *LocalAgent) Report(ctx context.Context, id string) ([]byte, error) {
	sp, err := OpenSpool(ctx, a.Config, a.Log)
	if err != nil {
		return nil, err
	}
	entries, err := sp.All()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.ID == id {
			return sp.Read(e)
		}
	}
	return nil, local.ErrNoReport
}

// selfCheckTime limits the request to the collector during the self-check.
const selfCheckTime = 8 * time.Second

// SelfCheck implements local.Agent. The call itself proves that the socket works.
func (a *LocalAgent) SelfCheck(ctx context.Context) []local.Finding {
	ctx, cancel := context.WithTimeout(ctx, selfCheckTime)
	defer cancel()
	st, err := Open(a.Config, a.Log)
	enrolled := finding(local.PartIdentity, err)
	if err == nil && !st.Enrolled() {
		enrolled = local.Finding{Part: local.PartIdentity, State: local.Fails, Detail: "not enrolled"}
	}
	reached := local.Finding{Part: local.PartCollector, State: local.Unknown, Detail: "not enrolled"}
	if err == nil && st.Enrolled() {
		_, err := st.Collector().Targets(ctx, "")
		reached = finding(local.PartCollector, err)
	}
	all := []local.Finding{
		{Part: local.PartSocket, State: local.Works}, enrolled,
		finding(local.PartSpool, a.tryToWrite(ctx)), reached, evidence(ctx),
	}
	if next := (scheduleMemory{data: a.Config.Data, log: a.Log}).next(); next != nil {
		next.Sparing = sparingReasons(ctx)
		all = append(all, local.Finding{Part: local.PartSchedule, State: local.Works, Next: next})
	}
	return all
}

func finding(part local.Part, err error) local.Finding {
	if err != nil {
		return local.Finding{Part: part, State: local.Fails, Detail: report.ErrorText(err)}
	}
	return local.Finding{Part: part, State: local.Works}
}

// tryToWrite writes a file into the spool and removes it.
func (a *LocalAgent) tryToWrite(ctx context.Context) error {
	if _, err := OpenSpool(ctx, a.Config, a.Log); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Join(a.Config.Data, spoolFolder), ".tmp-self-check-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString("self-check\n")
	err = errors.Join(err, f.Close())
	// Another process that opens the spool removes temporary files too.
	if removed := os.Remove(f.Name()); !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

// evidence states whether the service may read the records of crashes.
func evidence(ctx context.Context) local.Finding {
	now := time.Now()
	read, refused := 0, 0
	for _, s := range crash.Read(ctx, nil, now.Add(-time.Hour), now).Sources {
		switch s.State {
		case "read":
			read++
		case "not_permitted", "failed":
			refused++
		}
	}
	f := local.Finding{Part: local.PartCrash, State: local.Works}
	switch {
	case read == 0:
		f.State, f.Detail = local.Fails, "no records can be read"
	case refused > 0:
		f.State, f.Detail = local.Partly, fmt.Sprintf("%d of %d kinds of records cannot be read", refused, read+refused)
	}
	return f
}
