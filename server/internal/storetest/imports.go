package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

// imports: an import is applied completely or not at all.
func imports(t *testing.T, s store.Store) {
	ctx := t.Context()
	old := store.Participant{ID: uuid.NewString(), Name: "Alt", CreatedAt: evening}
	if err := s.AddParticipant(ctx, old); err != nil {
		t.Fatal(err)
	}
	anna := store.Participant{ID: uuid.NewString(), Name: "Anna", Phone: "0228 1", CreatedAt: evening}
	code := store.EnrolCode{Hash: store.HashOf("x"), ParticipantID: anna.ID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}
	council := store.Council{ID: uuid.NewString(), Name: "Rat", CreatedAt: evening}
	session := store.CouncilSession{Title: "1. Sitzung", StartsAt: evening.Add(24 * time.Hour), SourceUID: "1"}
	i := store.Import{Participants: []store.Participant{anna}, Codes: []store.EnrolCode{code}, Councils: []store.Council{council}, Now: evening,
		Members:  []store.MemberChange{{CouncilID: council.ID, Add: []string{anna.ID, old.ID}}},
		Sessions: []store.SessionImport{{CouncilID: council.ID, Source: "oparl:1", Sessions: []store.CouncilSession{session}}},
		Audit:    []store.AuditEntry{{ID: uuid.Must(uuid.NewV7()).String(), At: evening, Kind: store.AuditParticipantAdded, ParticipantID: anna.ID}}}
	audited := func(when string, want int) {
		t.Helper()
		if page, err := s.AuditEntries(ctx, store.AuditQuery{ParticipantID: anna.ID}); err != nil || len(page.Entries) != want || want > 0 && page.Entries[0] != i.Audit[0] {
			t.Errorf("%s: the audit log: got %+v, error %v; want %d entries", when, page.Entries, err, want)
		}
	}

	nothing := func(when string) {
		t.Helper()
		if _, err := s.Participant(ctx, anna.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: the participant: got error %v, want %v", when, err, store.ErrNotFound)
		}
		if _, err := s.CouncilNamed(ctx, "Rat"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: the council: got error %v, want %v", when, err, store.ErrNotFound)
		}
	}
	broken := i
	broken.Members = []store.MemberChange{{CouncilID: council.ID, Add: []string{uuid.NewString()}}}
	if _, err := s.ApplyImport(ctx, broken); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown member: got error %v, want %v", err, store.ErrNotFound)
	}
	nothing("after an error")
	dry := i
	dry.DryRun = true
	results, err := s.ApplyImport(ctx, dry)
	if want := []store.ImportResult{{Added: 1}}; err != nil || !slices.Equal(results, want) {
		t.Errorf("dry run: got %+v, error %v; want %+v", results, err, want)
	}
	nothing("after a dry run")
	audited("after a dry run", 0)

	if results, err = s.ApplyImport(ctx, i); err != nil || !slices.Equal(results, []store.ImportResult{{Added: 1}}) {
		t.Fatalf("got %+v, error %v; want %+v", results, err, []store.ImportResult{{Added: 1}})
	}
	if _, err := s.ApplyImport(ctx, i); !errors.Is(err, store.ErrExists) {
		t.Errorf("the same again: got error %v, want %v", err, store.ErrExists)
	}
	audited("after the import", 1)
	twice := store.Import{Now: evening, Participants: []store.Participant{{ID: uuid.NewString(), Name: "Berta", CreatedAt: evening}}, Audit: i.Audit}
	if _, err := s.ApplyImport(ctx, twice); err == nil {
		t.Error("an entry of the audit log that exists: got no error")
	}
	if _, err := s.Participant(ctx, twice.Participants[0].ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("without the entry of the audit log: the participant: got error %v, want %v", err, store.ErrNotFound)
	}
	if p, err := s.Enrol(ctx, code.Hash, store.NewAgent{ID: uuid.NewString(), TokenHash: store.HashOf("t")}, evening); err != nil || p.ID != anna.ID {
		t.Errorf("the code: got %+v, error %v; want ID %v", p, err, anna.ID)
	}
	members, before, err := s.CouncilMembers(ctx, council.ID)
	if err != nil || len(members) != 2 {
		t.Fatalf("got %+v, error %v; want 2 members", members, err)
	}
	page, err := s.CouncilSessions(ctx, store.SessionQuery{CouncilID: council.ID, From: evening})
	if err != nil || len(page.Sessions) != 1 {
		t.Fatalf("got %+v, error %v; want 1 session", page, err)
	}
	chosen := page.Sessions[0]
	chosen.Target = "bbb"
	if err := s.ChangeCouncilSession(ctx, chosen); err != nil {
		t.Fatal(err)
	}

	// A member leaves, a session is moved, and the chosen conference system remains.
	session.StartsAt = session.StartsAt.Add(time.Hour)
	results, err = s.ApplyImport(ctx, store.Import{Now: evening, Members: []store.MemberChange{{CouncilID: council.ID, Remove: []string{old.ID}}},
		Sessions: []store.SessionImport{{CouncilID: council.ID, Source: "oparl:1", Sessions: []store.CouncilSession{session}}}})
	if err != nil || !slices.Equal(results, []store.ImportResult{{Changed: 1}}) {
		t.Errorf("a change: got %+v, error %v; want %+v", results, err, []store.ImportResult{{Changed: 1}})
	}
	if got, err := s.CouncilSession(ctx, chosen.ID); err != nil || got.Target != "bbb" || !got.StartsAt.Equal(session.StartsAt) {
		t.Errorf("got %+v, error %v; want the new start and the chosen conference system", got, err)
	}
	if members, after, err := s.CouncilMembers(ctx, council.ID); err != nil || len(members) != 1 || members[0].ID != anna.ID || after <= before {
		t.Errorf("got %+v, revision %d after %d, error %v; want Anna", members, after, before, err)
	}
	if _, err := s.Participant(ctx, old.ID); err != nil {
		t.Errorf("the member who left: got error %v, want none", err)
	}

	if got, err := s.CouncilOfSource(ctx, "oparl:1"); err != nil || got.ID != council.ID {
		t.Errorf("the council of the source: got %+v, error %v; want %s", got, err, council.ID)
	}
	if _, err := s.CouncilOfSource(ctx, "oparl:2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the council of an unknown source: got error %v, want %v", err, store.ErrNotFound)
	}

	// A session cancelled by staff remains cancelled; one outside of the imported period is not missing.
	chosen.Cancelled, chosen.CancelledByStaff = true, true
	if err := s.ChangeCouncilSession(ctx, chosen); err != nil {
		t.Fatal(err)
	}
	again := []store.SessionImport{{CouncilID: council.ID, Source: "oparl:1", Sessions: []store.CouncilSession{session}}}
	if _, err := s.ApplyImport(ctx, store.Import{Now: evening, Sessions: again}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.CouncilSession(ctx, chosen.ID); err != nil || !got.Cancelled || !got.CancelledByStaff {
		t.Errorf("got %+v, error %v; want it to remain cancelled", got, err)
	}
	chosen.Cancelled, chosen.CancelledByStaff = false, false
	if err := s.ChangeCouncilSession(ctx, chosen); err != nil {
		t.Fatal(err)
	}
	early := []store.SessionImport{{CouncilID: council.ID, Source: "oparl:1", Until: session.StartsAt.Add(-24 * time.Hour)}}
	if results, err := s.ApplyImport(ctx, store.Import{Now: evening.Add(-48 * time.Hour), Sessions: early}); err != nil || !slices.Equal(results, []store.ImportResult{{}}) {
		t.Errorf("an import up to the day before: got %+v, error %v; want no change", results, err)
	}

	// A missing session is cancelled, unless it is kept or the source could not be read completely.
	kept := []store.SessionImport{{CouncilID: council.ID, Source: "oparl:1", Keep: func(uid string) bool { return uid != "" }}}
	if results, err := s.ApplyImport(ctx, store.Import{Now: evening, Sessions: kept}); err != nil || !slices.Equal(results, []store.ImportResult{{}}) {
		t.Errorf("a missing session that is kept: got %+v, error %v; want no change", results, err)
	}
	gone := []store.SessionImport{{CouncilID: council.ID, Source: "oparl:1", KeepMissing: true}}
	for _, want := range []store.ImportResult{{}, {Cancelled: 1}, {}} {
		results, err := s.ApplyImport(ctx, store.Import{Now: evening, Sessions: gone})
		if err != nil || !slices.Equal(results, []store.ImportResult{want}) {
			t.Errorf("a missing session: got %+v, error %v; want %+v", results, err, want)
		}
		gone[0].KeepMissing = false
	}
	bad := []store.SessionImport{{CouncilID: council.ID, Source: "oparl:1", Sessions: []store.CouncilSession{{SourceUID: "2"}}}}
	if _, err := s.ApplyImport(ctx, store.Import{Now: evening, Sessions: bad}); err == nil {
		t.Error("a session without a start was stored")
	} else if _, ok := errors.AsType[*store.InputError](err); !ok {
		t.Errorf("got error %v, want an InputError", err)
	}
}
