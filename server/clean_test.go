package server

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

func TestNothingIsDeletedByAClockThatJumped(t *testing.T) {
	start := time.Date(2026, 11, 28, 19, 0, 0, 0, time.UTC)
	for name, jump := range map[string]time.Duration{
		"a year ahead": 365 * 24 * time.Hour,
		"years back":   -20 * 365 * 24 * time.Hour,
		"an hour back": -time.Hour,
		"two minutes":  2 * time.Minute,
	} {
		s := steadiness{wall: start}
		for up := time.Duration(0); up < steadyFor; up += cleanEvery {
			if s.steady(start.Add(up), up) {
				t.Errorf("%s: got steady after only %v", name, up)
			}
		}
		if !s.steady(start.Add(steadyFor+30*time.Second), steadyFor) { // a difference as from slewing by NTP
			t.Errorf("%s: got not steady after %v without a jump", name, steadyFor)
		}
		jumped := steadyFor + cleanEvery
		for up := jumped; up < jumped+steadyFor; up += cleanEvery {
			if s.steady(start.Add(up+jump), up) {
				t.Errorf("%s: got steady %v after the jump", name, up-jumped)
			}
		}
		if !s.steady(start.Add(jumped+steadyFor+jump), jumped+steadyFor) {
			t.Errorf("%s: got not steady long after the jump", name)
		}
	}
}

// TestDeletionsAreNoted: each class with a period is noted with what was deleted, also in the metrics; one
// that is kept for ever is not.
func TestDeletionsAreNoted(t *testing.T) {
	ctx := t.Context()
	db, err := sqlstore.OpenSQLite(ctx, t.TempDir()+"/x.db", sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	now := time.Date(2026, 11, 28, 19, 0, 0, 0, time.UTC)
	for range deleteAtOnce + 1 { // more than one transaction deletes
		e := store.AuditEntry{ID: uuid.Must(uuid.NewV7()).String(), At: now.AddDate(-2, 0, 0), Kind: store.AuditSignedIn}
		if err := db.AddAuditEntry(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	const day = 24 * time.Hour
	s := &Server{store: db, config: Config{KeepReports: 180 * day, KeepAudit: 365 * day, Log: slog.New(slog.DiscardHandler), Rand: rand.Reader}}
	for _, at := range []time.Time{now, now.Add(time.Hour)} { // the second one finds nothing
		if err := s.deleteOld(ctx, at); err != nil {
			t.Fatal(err)
		}
	}
	later := now.Add(time.Hour)
	want := map[store.DataClass]store.RetentionRun{
		store.AuditData:   {Class: store.AuditData, RanAt: later, DeletedAt: now, Deleted: deleteAtOnce + 1},
		store.ReportData:  {Class: store.ReportData, RanAt: later},
		store.ExpiredData: {Class: store.ExpiredData, RanAt: later},
	}
	runs, err := db.RetentionRuns(ctx)
	if err != nil || len(runs) != len(want) {
		t.Errorf("got %+v, error %v; want %d classes", runs, err, len(want))
	}
	for _, run := range runs {
		if run != want[run.Class] {
			t.Errorf("got %+v, want %+v", run, want[run.Class])
		}
	}

	page, err := db.AuditEntries(ctx, store.AuditQuery{Kind: store.AuditDeletedByAge})
	if err != nil || len(page.Entries) != 1 || !page.Entries[0].At.Equal(now) || page.Entries[0].StaffName != "" || page.Entries[0].Subject != "audit_log: 501" {
		t.Errorf("got entries %+v, error %v; want one about 501 entries of the audit log at %v", page.Entries, err, now)
	}

	registry := prometheus.NewRegistry()
	registry.MustRegister(retentionRuns{db, s.config.keep(), s.config.Log})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[f.GetName()+" "+m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"tonprobe_retention_keep_seconds audit_log":                    365 * 86400,
		"tonprobe_retention_last_run_timestamp_seconds audit_log":      float64(later.Unix()),
		"tonprobe_retention_last_deletion_timestamp_seconds audit_log": float64(now.Unix()),
		"tonprobe_retention_last_deletion_timestamp_seconds reports":   0,
		"tonprobe_retention_last_run_timestamp_seconds reports":        float64(later.Unix()),
		"tonprobe_retention_last_run_timestamp_seconds expired":        float64(later.Unix()),
	} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("got %s %v, %v; want %v", name, value, ok, want)
		}
	}
	if len(got) != 9 {
		t.Errorf("got %d values, want three for each of three classes: %v", len(got), got)
	}
}

// TestNewPeriodsAreAnnounced: a period that came with a new version deletes nothing before it begins, but people
// without a council are noted already.
func TestNewPeriodsAreAnnounced(t *testing.T) {
	ctx, path := t.Context(), t.TempDir()+"/x.db"
	db, err := sqlstore.OpenSQLite(ctx, path, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const day = 24 * time.Hour
	now := time.Date(2026, 11, 28, 19, 0, 0, 0, time.UTC)
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	for _, class := range []store.DataClass{store.SessionData, store.PeopleData} {
		if _, err := raw.ExecContext(ctx, `INSERT INTO retention_runs SELECT id, ?, 0, 0, 0, ? FROM organisations`, string(class), now.Add(30*day).UnixMilli()); err != nil {
			t.Fatal(err)
		}
	}
	council := store.Council{ID: uuid.NewString(), Name: "Rat", CreatedAt: now}
	for _, err := range []error{
		db.AddCouncil(ctx, council),
		db.AddCouncilSession(ctx, store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, StartsAt: now.AddDate(-5, 0, 0)}),
		db.AddParticipant(ctx, store.Participant{ID: uuid.NewString(), Name: "Anna", CreatedAt: now}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var logged bytes.Buffer
	s := &Server{store: db, config: Config{KeepSessions: 1095 * day, KeepPeople: 20 * day, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&logged, nil)), Rand: rand.Reader}}
	s.announcePeriods(ctx)
	for _, want := range []string{"class=council_sessions days=1095 from=2026-12-28", "class=people days=20 from=2026-12-28"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("got log %s, want %q", logged.String(), want)
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(retentionRuns{db, s.config.keep(), s.config.Log})
	runs := func() (n int) {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if strings.Contains(f.GetName(), "last_run") {
				n += len(f.GetMetric())
			}
		}
		return n
	}
	if n := runs(); n != 1 {
		t.Errorf("before they begin: got the last run of %d classes in the metrics, want that of what expired", n)
	}
	defer func() {
		if n := runs(); n != 3 {
			t.Errorf("afterwards: got the last run of %d classes in the metrics, want 3", n)
		}
	}()
	for _, step := range []struct {
		at   time.Time
		left int
	}{{now, 2}, {now.Add(29 * day), 2}, {now.Add(30 * day), 0}} {
		if err := s.deleteOld(ctx, step.at); err != nil {
			t.Fatal(err)
		}
		var left int
		if err := raw.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM participants) + (SELECT count(*) FROM council_sessions)`).Scan(&left); err != nil || left != step.left {
			t.Errorf("%v: got %d entries, error %v; want %d", step.at, left, err, step.left)
		}
	}
	page, err := db.AuditEntries(ctx, store.AuditQuery{Kind: store.AuditDeletedByAge})
	if err != nil || len(page.Entries) != 2 {
		t.Fatalf("got entries %+v, error %v; want one for each class", page.Entries, err)
	}
	for _, e := range page.Entries { // no names
		if e.Subject != "council_sessions: 1" && e.Subject != "people: 1" || e.ParticipantID != "" {
			t.Errorf("got entry %+v, want the count of a class", e)
		}
	}
}

// TestNobodyIsDeletedWithoutNotes: if it is unknown who has joined and left a council, nobody is deleted.
func TestNobodyIsDeletedWithoutNotes(t *testing.T) {
	ctx, path := t.Context(), t.TempDir()+"/x.db"
	db, err := sqlstore.OpenSQLite(ctx, path, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	now := time.Date(2026, 11, 28, 19, 0, 0, 0, time.UTC)
	anna := store.Participant{ID: uuid.NewString(), Name: "Anna", CreatedAt: now}
	for _, err := range []error{
		db.AddCouncil(ctx, store.Council{ID: uuid.NewString(), Name: "Rat", CreatedAt: now}),
		db.AddParticipant(ctx, anna),
		db.NotePeopleWithoutCouncil(ctx, now),
		db.AddParticipant(ctx, store.Participant{ID: uuid.NewString(), Name: "Berta", CreatedAt: now}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s := &Server{store: db, config: Config{KeepPeople: time.Hour, Log: slog.New(slog.DiscardHandler), Rand: rand.Reader}}
	for _, step := range []struct {
		statement string
		fails     bool
		want      error
	}{
		{`CREATE TRIGGER no_notes BEFORE INSERT ON people_without_council BEGIN SELECT RAISE(ABORT, 'no notes'); END`, true, nil},
		{`DROP TRIGGER no_notes`, false, store.ErrNotFound},
	} {
		if _, err := raw.ExecContext(ctx, step.statement); err != nil {
			t.Fatal(err)
		}
		if err := s.deleteOld(ctx, now.AddDate(1, 0, 0)); (err != nil) != step.fails {
			t.Errorf("%s: got error %v, want some: %v", step.statement, err, step.fails)
		}
		if _, err := db.Participant(ctx, anna.ID); !errors.Is(err, step.want) {
			t.Errorf("%s: got error %v, want %v", step.statement, err, step.want)
		}
	}
}
