package rig

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// Agent is an enrolled agent.
type Agent struct {
	ID, Token, Participant string
}

// Filler writes to the database of a collector that is not running.
type Filler struct {
	store    *sqlstore.Store
	enroller enroll.Enroller
}

// OpenFiller opens the SQLite database in a data directory, which it creates if it does not
// exist.
func OpenFiller(ctx context.Context, data string) (*Filler, error) {
	if err := datadir.Make(data); err != nil {
		return nil, err
	}
	return filler(sqlstore.OpenSQLite(ctx, datadir.Database(data), sqlstore.Options{}))
}

// OpenPostgresFiller opens a PostgreSQL database.
func OpenPostgresFiller(ctx context.Context, address string) (*Filler, error) {
	return filler(sqlstore.OpenPostgres(ctx, address, sqlstore.Options{}))
}

func filler(s *sqlstore.Store, err error) (*Filler, error) {
	if err != nil {
		return nil, err
	}
	return &Filler{s, enroll.Enroller{Store: s, Now: time.Now, Random: rand.Reader}}, nil
}

// Empty reports whether there are no participants.
func (f *Filler) Empty(ctx context.Context) (bool, error) {
	page, err := f.store.ParticipantStates(ctx, store.StateQuery{Limit: 1})
	return len(page.States) == 0, err
}

// Close closes the database.
func (f *Filler) Close() error { return f.store.Close() }

// Enrol adds a participant with one agent.
func (f *Filler) Enrol(ctx context.Context, name string) (Agent, error) {
	invited, err := f.enroller.Invite(ctx, name, "")
	if err != nil {
		return Agent{}, fmt.Errorf("add participant %s: %w", name, err)
	}
	e, err := f.enroller.Accept(ctx, invited.Code, enroll.Applicant{Version: "1.4.0", OS: "windows", Arch: "amd64"})
	if err != nil {
		return Agent{}, fmt.Errorf("enrol an agent of %s: %w", name, err)
	}
	return Agent{ID: e.AgentID, Token: e.Token, Participant: invited.Participant.ID}, nil
}

// Keep stores reports as the API does.
func (f *Filler) Keep(ctx context.Context, agent Agent, reports []store.NewReport) error {
	_, err := f.store.SaveReports(ctx, agent.ID, reports)
	return err
}

// Missing returns the number of ids without a report.
func (f *Filler) Missing(ctx context.Context, ids []string) (missing int, err error) {
	for _, id := range ids {
		_, err := f.store.Report(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			missing++
		} else if err != nil {
			return missing, err
		}
	}
	return missing, nil
}

// Kept returns the number of reports of an agent's participant by id.
func (f *Filler) Kept(ctx context.Context, agent Agent) (map[string]int, error) {
	kept := map[string]int{}
	for q := (store.ReportQuery{ParticipantID: agent.Participant, Limit: store.MaxPage}); ; {
		page, err := f.store.ParticipantReports(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Reports {
			kept[r.ID]++
		}
		if page.Next == "" {
			return kept, nil
		}
		q.After = page.Next
	}
}
