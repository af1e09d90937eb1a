package storetest

import (
	"bytes"
	"testing"

	"github.com/tonprobe/tonprobe/server/store"
)

func hostileCursors(t *testing.T, s store.Store) {
	for range 3 {
		person(t, s, "A")
	}
	page, err := s.ParticipantStates(t.Context(), store.StateQuery{Order: store.ByRecent, Limit: 1})
	must(t, err)
	for _, bad := range []string{"x", "%", "e30", string(bytes.Repeat([]byte("A"), 1<<20)), page.Next} {
		_, err := s.ParticipantStates(t.Context(), store.StateQuery{After: bad}) // by name
		wantError(t, "participants", err, store.ErrBadCursor)
		_, err = s.ParticipantReports(t.Context(), store.ReportQuery{After: bad})
		wantError(t, "reports", err, store.ErrBadCursor)
	}
}

// hostileTexts are parts of an address or a search. They are not found,
// and cause no error of the database.
func hostileTexts(t *testing.T, s store.Store) {
	person(t, s, "Anna")
	for _, text := range []string{"\x00", "Anna\x00", "\xff\xfe", "\xed\xa0\x80", "'; DROP TABLE reports; --", "$1", "?"} {
		_, err := s.Participant(t.Context(), text)
		wantError(t, "participant", err, store.ErrNotFound)
		_, err = s.Report(t.Context(), text)
		wantError(t, "report", err, store.ErrNotFound)
		_, err = s.StaffMember(t.Context(), text)
		wantError(t, "user", err, store.ErrNotFound)
		page, err := s.ParticipantStates(t.Context(), store.StateQuery{Search: text})
		must(t, err)
		if len(page.States) != 0 {
			t.Errorf("%q: got %d results, want 0", text, len(page.States))
		}
		_, err = s.SimilarStates(t.Context(), text, 5)
		must(t, err)
		_, err = s.CaseReports(t.Context(), text, 5)
		must(t, err)
	}
}
