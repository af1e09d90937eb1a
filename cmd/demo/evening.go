package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/cmd/demo/evening"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server"
	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// showEvening starts a collector and fills it with a made-up evening. Both use clock.
func showEvening(ctx context.Context, o options, dir string, clock probe.Clock) (err error) {
	fmt.Fprintln(o.out(), o.texts.T("starting"))
	providers := filepath.Join(dir, "providers.tsv")
	if err := os.WriteFile(providers, []byte(evening.Providers), 0o600); err != nil {
		return fmt.Errorf("write the made-up providers: %w", err)
	}
	c, err := startCollectorWith(ctx, dir, server.Config{Now: clock.Now, ProvidersFile: providers})
	if err != nil {
		return err
	}
	ctx, leave := context.WithCancel(ctx)
	wait := func() {}
	defer func() { leave(); wait(); err = errors.Join(err, c.stop()) }()
	fmt.Fprintln(o.out(), o.texts.T("evening_enrolling", "people", strconv.Itoa(evening.Size)))
	members, err := convene(ctx, c, dir)
	if err != nil {
		return err
	}
	attendants, waitForAll := attend(ctx, members, clock)
	wait = waitForAll
	starts, err := addSession(ctx, dir, members, clock.Now())
	if err != nil {
		return err
	}
	if err := printDashboard(ctx, o, c); err != nil {
		return err
	}
	fmt.Fprintf(o.out(), "\n%s\n%s\n", o.texts.T("evening_begins", "time", starts.Format("15:04")), o.texts.T("end"))
	if err := hold(ctx, o, attendants, clock); err != nil {
		return err
	}
	fmt.Fprintln(o.out(), o.texts.T("evening_complete"))
	if o.once {
		return nil
	}
	return waitForEnd(ctx, o, c)
}

// member is a made-up member of the council; its computer is nil if it is not set up.
type member struct {
	evening.Person
	id       string
	computer *enrolled
}

// convene adds the members, and enrols their computers as real ones enrol.
func convene(ctx context.Context, c *collector, dir string) ([]member, error) {
	var all []member
	for i, p := range evening.People() {
		added, code, _, err := c.server.AddParticipant(ctx, p.Name, p.Phone)
		if err != nil {
			return nil, fmt.Errorf("add a made-up participant: %w", err)
		}
		m := member{Person: p, id: added.ID}
		if i >= evening.NotSetUp {
			if m.computer, err = enrolWith(ctx, c, code, filepath.Join(dir, "spools", strconv.Itoa(i))); err != nil {
				return nil, err
			}
		}
		all = append(all, m)
	}
	return all, nil
}

// addSession adds the council and its session to the database of the running collector, as
// "tonprobe-collector council" and "session" do. It returns when the session starts.
func addSession(ctx context.Context, dir string, members []member, now time.Time) (starts time.Time, err error) {
	s, err := sqlstore.OpenSQLite(ctx, datadir.Database(dataDir(dir)), sqlstore.Options{})
	if err != nil {
		return starts, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	council := store.Council{ID: uuid.NewString(), Name: "Rat der Beispielstadt", CreatedAt: now}
	if err := s.AddCouncil(ctx, council); err != nil {
		return starts, fmt.Errorf("add the made-up council: %w", err)
	}
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.id
	}
	if err := s.SetCouncilMembers(ctx, council.ID, ids); err != nil {
		return starts, fmt.Errorf("add the members of the made-up council: %w", err)
	}
	starts = evening.SessionStart(now)
	return starts, s.AddCouncilSession(ctx, store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID,
		Title: "Übungs-Sitzung", Place: "Ratssaal (erfunden)", StartsAt: starts, EndsAt: starts.Add(3 * time.Hour)})
}

// hold delivers the checks of the evening, each at its time.
func hold(ctx context.Context, o options, attendants map[int]*attendant, clock probe.Clock) error {
	begin := clock.Now()
	for _, c := range evening.Script() {
		if err := clock.Sleep(ctx, begin.Add(c.At).Sub(clock.Now())); err != nil {
			return err
		}
		a := attendants[c.Person]
		m, now := a.member, clock.Now()
		r, err := c.Report(m.Person, m.computer.id, version, now, rand.Reader)
		if err != nil {
			return err
		}
		if err := a.deliver(ctx, c, r); err != nil {
			return err
		}
		what := string(c.Fault)
		if c.Trigger == report.TriggerSupport {
			what = "retest"
		}
		if what != "" {
			fmt.Fprintln(o.out(), o.texts.T("evening_line", "time", now.Format("15:04:05"), "code", r.Case, "name", m.Name, "what", o.texts.T("evening_"+what)))
		}
	}
	return nil
}

var errNotDelivered = errors.New("the collector did not take a made-up report")
