package reports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/cmd/load/rig"
	"github.com/tonprobe/tonprobe/server/store"
)

// database is a filled data directory with the information needed to use it. The
// information is stored next to the data, so that a large database is filled only once.
type database struct {
	dir      string
	postgres string // URL of a PostgreSQL database; "" for SQLite in dir

	Agents   []rig.Agent
	Reports  int
	Password string // of the first user of the dashboard
}

func (d *database) data() string { return filepath.Join(d.dir, "data") }
func (d *database) file() string { return filepath.Join(d.dir, "load.json") }

func (d *database) save() error {
	b, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("store the agents: %w", err)
	}
	return os.WriteFile(d.file(), b, 0o600)
}

// errNotEmpty means that the database may contain other data.
var errNotEmpty = errors.New("the database is not empty")

// filler opens the database while no collector runs.
func (d *database) filler(ctx context.Context) (*rig.Filler, error) {
	if d.postgres != "" {
		return rig.OpenPostgresFiller(ctx, d.postgres)
	}
	return rig.OpenFiller(ctx, d.data())
}

// open reads the information about a filled database, or fills a new one.
func (d *database) open(ctx context.Context, participants, reports int, progress func(string)) error {
	b, err := os.ReadFile(d.file())
	if err == nil {
		if err := json.Unmarshal(b, d); err != nil {
			return fmt.Errorf("read %s: %w", d.file(), err)
		}
		if len(d.Agents) != participants || d.Reports != reports {
			return fmt.Errorf("%s contains %d participants with %d reports: request the same numbers, or use another directory", d.dir, len(d.Agents), d.Reports)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := d.fill(ctx, participants, reports, progress); err != nil {
		return fmt.Errorf("fill the database: %w", err)
	}
	return d.save()
}

func (d *database) fill(ctx context.Context, participants, reports int, progress func(string)) error {
	f, err := d.filler(ctx)
	if err != nil {
		return err
	}
	empty, err := f.Empty(ctx)
	if err == nil && !empty {
		err = errNotEmpty
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	began := time.Now()
	for i := range participants {
		agent, err := f.Enrol(ctx, nameOf(i))
		if err != nil {
			return errors.Join(err, f.Close())
		}
		d.Agents = append(d.Agents, agent)
	}
	progress(fmt.Sprintf("%d participants added in %.0f s", participants, time.Since(began).Seconds()))
	kinds, err := rig.Templates()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	began = time.Now()
	for i, agent := range d.Agents {
		n := reports/participants + min(1, max(0, reports%participants-i)) // distributes the remainder
		history, err := historyOf(kinds, agent, i, n)
		if err == nil {
			err = f.Keep(ctx, agent, history)
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
		d.Reports += n
	}
	progress(fmt.Sprintf("%d reports added in %.0f s", d.Reports, time.Since(began).Seconds()))
	return f.Close()
}

// historyOf returns one check per day, the last one within the last day.
func historyOf(kinds []rig.Template, agent rig.Agent, i, n int) ([]store.NewReport, error) {
	last := time.Now().Add(-time.Duration(i%1440) * time.Minute)
	var all []store.NewReport
	for k := range n {
		at := last.AddDate(0, 0, k-n+1)
		kind := max(0, (i*7+k)%10-7) // eight of ten are ready
		r, document, err := kinds[kind].New(agent.ID, at)
		if err != nil {
			return nil, err
		}
		all = append(all, store.NewReport{Report: r, Document: document, ReceivedAt: at, CheckedAt: at})
	}
	return all, nil
}
