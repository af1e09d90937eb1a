package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

func auditLog(t *testing.T, s store.Store) {
	ctx := t.Context()
	anna, berta := uuid.NewString(), uuid.NewString()
	var all []store.AuditEntry
	for minute := range 6 {
		e := store.AuditEntry{ID: uuid.Must(uuid.NewV7()).String(), At: evening.Add(time.Duration(minute/2) * time.Minute), StaffName: "support",
			Role: store.RoleLead, Kind: store.AuditParticipantRead, ParticipantID: anna, ReportID: "r", Subject: "s", Network: "192.0.2.0/24"}
		switch minute {
		case 1, 2:
			e.StaffName, e.ParticipantID = "clara", berta
		case 5:
			e.Kind, e.ParticipantID, e.ReportID = store.AuditSignedIn, "", ""
		}
		must(t, s.AddAuditEntry(ctx, e))
		all = append(all, e)
	}
	read := func(what string, q store.AuditQuery, want ...int) {
		t.Helper()
		q.Limit = 2
		var got []store.AuditEntry
		for {
			page, err := s.AuditEntries(ctx, q)
			must(t, err)
			got = append(got, page.Entries...)
			if q.After = page.Next; q.After == "" || len(got) > len(all) {
				break
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: got %d entries, want %d", what, len(got), len(want))
			return
		}
		for i, n := range want {
			if got[i] != all[n] {
				t.Errorf("%s: got %+v at %d, want %+v", what, got[i], i, all[n])
			}
		}
	}
	read("all", store.AuditQuery{}, 5, 4, 3, 2, 1, 0)
	read("of one member", store.AuditQuery{StaffName: "clara"}, 2, 1)
	read("about one participant", store.AuditQuery{ParticipantID: anna}, 4, 3, 0)
	read("of one kind", store.AuditQuery{Kind: store.AuditSignedIn}, 5)
	read("of a time", store.AuditQuery{From: evening.Add(time.Minute), To: evening.Add(2 * time.Minute)}, 3, 2)
	read("all at once", store.AuditQuery{StaffName: "clara", ParticipantID: berta, Kind: store.AuditParticipantRead, From: evening.Add(time.Minute), To: evening.Add(time.Hour)}, 2)
	read("of nobody", store.AuditQuery{StaffName: "nobody"})
	for _, bad := range []string{"x", "ä", cursorOfAnotherList(t, s)} {
		_, err := s.AuditEntries(ctx, store.AuditQuery{After: bad})
		wantError(t, "hostile cursor", err, store.ErrBadCursor)
	}
	if err := s.AddAuditEntry(ctx, all[0]); err == nil {
		t.Error("an entry was added twice")
	}

	p, _ := person(t, s, "Anna")
	e := store.AuditEntry{ID: uuid.Must(uuid.NewV7()).String(), At: evening.Add(time.Hour), StaffName: "support", Kind: store.AuditParticipantDeleted, ParticipantID: p}
	must(t, s.AddAuditEntry(ctx, e))
	must(t, s.DeleteParticipant(ctx, p, evening))
	// The entry remains, and so does one that is made only now. Neither has the id.
	late := store.AuditEntry{ID: uuid.Must(uuid.NewV7()).String(), At: evening.Add(2 * time.Hour), StaffName: "support", Kind: store.AuditParticipantRead, ParticipantID: p, ReportID: "r"}
	must(t, s.AddAuditEntry(ctx, late))
	page, err := s.AuditEntries(ctx, store.AuditQuery{Limit: 2})
	must(t, err)
	pseudonym := page.Entries[0].ParticipantID
	late.ParticipantID, late.ReportID, e.ParticipantID = pseudonym, "", pseudonym
	if want := []store.AuditEntry{late, e}; !store.IsPseudonym(pseudonym) || !slices.Equal(page.Entries, want) {
		t.Errorf("after the participant was erased: got %+v, want %+v with a pseudonym", page.Entries, want)
	}
	if page, err := s.AuditEntries(ctx, store.AuditQuery{ParticipantID: p}); err != nil || len(page.Entries) != 0 {
		t.Errorf("after the participant was erased: got %d entries with the id, error %v; want 0", len(page.Entries), err)
	}

	for _, want := range []int{3, 1, 0} {
		if n, err := s.DeleteAuditEntries(ctx, evening.Add(2*time.Minute), 3); err != nil || n != want {
			t.Errorf("got %d deleted, error %v; want %d", n, err, want)
		}
	}
	if page, err := s.AuditEntries(ctx, store.AuditQuery{}); err != nil || len(page.Entries) != 4 {
		t.Errorf("after retention: got %d entries, error %v; want 4", len(page.Entries), err)
	}
}

// cursorOfAnotherList returns a cursor that the store wrote for the list of participants.
func cursorOfAnotherList(t *testing.T, s store.Store) string {
	t.Helper()
	person(t, s, "X")
	person(t, s, "Y")
	page, err := s.ParticipantStates(t.Context(), store.StateQuery{Limit: 1})
	must(t, err)
	if page.Next == "" {
		t.Fatal("got no cursor")
	}
	return page.Next
}
