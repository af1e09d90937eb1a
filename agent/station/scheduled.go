package station

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// scheduleFile contains the history of the schedule and the next check.
const scheduleFile = "schedule.json"

// maxScheduleBytes is far more than the runs of two days need.
const maxScheduleBytes = 4 << 20

// learnTime limits the request for the next sessions.
const learnTime = 5 * time.Second

// scheduleMemory is a resident.Memory in the data folder. Its sessions are those that the
// collector announced last.
type scheduleMemory struct {
	data string
	log  *slog.Logger
}

// scheduleRecord is the content of scheduleFile.
type scheduleRecord struct {
	resident.History
	Next struct {
		At   time.Time     `json:"at"`
		Kind resident.Kind `json:"kind"`
		// Session is the start of the session that the check prepares; zero for none.
		Session time.Time `json:"session,omitzero"`
	} `json:"next"`
}

func (m scheduleMemory) read() (r scheduleRecord) {
	f, err := os.Open(filepath.Join(m.data, scheduleFile))
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			m.log.Warn("the history of checks could not be read", "err", report.ErrorText(err))
		}
		return scheduleRecord{}
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err == nil && info.Size() > maxScheduleBytes {
		err = errors.New("the file is too large")
	}
	if err == nil {
		err = json.NewDecoder(f).Decode(&r)
	}
	if err != nil {
		m.log.Warn("the history of checks is damaged and starts empty", "err", report.ErrorText(err))
		return scheduleRecord{}
	}
	return r
}

// Load implements resident.Memory.
func (m scheduleMemory) Load() resident.History { return m.read().History }

// Save implements resident.Memory.
func (m scheduleMemory) Save(h resident.History, next resident.Check) {
	r := scheduleRecord{History: h}
	r.Next.At, r.Next.Kind = next.At, next.Kind
	if next.Session != nil {
		r.Next.Session = next.Session.StartsAt
	}
	b, err := json.Marshal(r)
	if err == nil {
		err = durable.WriteFile(filepath.Join(m.data, scheduleFile), b)
	}
	if err != nil {
		m.log.Warn("the history of checks could not be stored", "err", report.ErrorText(err))
	}
}

func (m scheduleMemory) sessions() []wire.Session {
	return readTargets(filepath.Join(m.data, targetsFile)).Sessions
}

// next returns the next check for the self-check; nil if it is not known.
func (m scheduleMemory) next() *local.NextCheck {
	r := m.read()
	if r.Next.At.IsZero() {
		return nil
	}
	return &local.NextCheck{At: r.Next.At, Session: r.Next.Session}
}

// sparingReasons reads from the system why the service checks less often.
func sparingReasons(ctx context.Context) (all []local.Sparing) {
	metered, saving := watch.ReadSparing(ctx)
	if metered {
		all = append(all, local.SparingMetered)
	}
	if saving {
		all = append(all, local.SparingPower)
	}
	return all
}

// learnSessions requests the next sessions. Without a response, those announced last remain.
func (s *Station) learnSessions(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, learnTime)
	defer cancel()
	t, err := s.Collector().Targets(ctx, "")
	if err != nil {
		s.log.Debug("the next sessions are not known", "err", report.ErrorText(err))
		return err
	}
	s.learnTargets(check.WithoutCredentials(*t))
	now := time.Now()
	_ = os.Chtimes(s.targetsPath(), now, now) // the daily request is not needed then
	return nil
}

// scheduledOptions returns the options of a check of the schedule. Before a session they name its
// conference system and its limits, as far as they are known here.
func (s *Station) scheduledOptions(version string, a resident.Check) check.Options {
	o := s.CheckOptions(version)
	o.Trigger = report.TriggerSchedule
	if a.Kind == resident.Small {
		o.Only = check.SmallProbes()
		return o
	}
	if a.Session == nil {
		return o
	}
	o.NoAudio = true
	if _, known := s.knownTargets().Find(a.Session.Target); known {
		o.Target = a.Session.Target
	}
	if _, err := diagnose.LoadProfile(a.Session.Profile); a.Session.Profile != "" && err == nil {
		o.Profile = a.Session.Profile
	}
	return o
}
