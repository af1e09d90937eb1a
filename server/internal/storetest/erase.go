package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// remarkText is the text of a remark as package disturbance writes it.
func remarkText(text string) string { return store.RemarkPrefix + `,"text":"` + text + `"}` }

// erasure: nothing of a person remains or can come back, everything of others remains.
func erasure(t *testing.T, s store.Store) {
	ctx := t.Context()
	anna, agent := person(t, s, "Anna Muster")
	second := agentOf(t, s, anna)
	berta, _ := person(t, s, "Berta Beispiel")
	must(t, s.AddToken(ctx, agent, store.HashOf(agent), store.HashOf("used")))
	must(t, s.UseToken(ctx, agent, store.HashOf("used"), evening))
	must(t, s.AddToken(ctx, agent, store.HashOf("used"), store.HashOf("next")))
	code := store.HashOf("a code that waits")
	must(t, s.AddEnrolCode(ctx, store.EnrolCode{Hash: code, ParticipantID: anna, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
	var councils []store.Council
	for _, name := range []string{"Rat", "Ausschuss"} {
		c := store.Council{ID: uuid.NewString(), Name: name, CreatedAt: evening}
		must(t, s.AddCouncil(ctx, c))
		must(t, s.SetCouncilMembers(ctx, c.ID, []string{anna, berta}))
		councils = append(councils, c)
	}
	sent := newReport("AAA-AAA", report.NotReady, evening)
	_, err := s.SaveReports(ctx, agent, []store.NewReport{sent})
	must(t, err)
	_, err = s.AddCaseEntry(ctx, sent.Report.ID, store.CaseEntry{At: evening, By: "eva", Kind: store.CaseNoted, Text: "Frau Muster ruft zurück"})
	must(t, err)
	begin := store.DisturbanceRecord{SessionID: uuid.NewString(), Head: "{}", StartsAt: evening}
	for i, e := range []store.DisturbanceEntry{
		entry(store.DisturbanceReported, 1, 0, berta, berta+"=Berta", anna+"=Anna ready", berta+"="+remarkText("auch Frau Muster hörte nichts")),
		entry(store.DisturbanceCorrected, 2, 0, "", "=Eva", "="+remarkText("Musters Leitung war gestört")),
		entry(store.DisturbanceCorrected, 3, 0, "", "="+remarkText("Beginn war 18:05")),
	} {
		if _, _, err := s.AddDisturbanceEntry(ctx, begin, e); err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
	}
	before, err := s.DisturbanceRecord(ctx, begin.SessionID)
	must(t, err)
	about, err := s.PersonEntries(ctx, berta)
	must(t, err)
	if len(about) != 2 || about[0].Person != "Berta" || about[0].Text != before.Entries[0].Text || about[0].SessionID != begin.SessionID || about[0].Head != "{}" || about[0].Number != 1 {
		t.Errorf("got entries about Berta %+v, want her name and the remark of entry 1", about)
	}
	if erased, err := s.ErasedToken(ctx, store.HashOf("next")); err != nil || erased {
		t.Errorf("before: got %v, error %v; want no erased token", erased, err)
	}

	must(t, s.DeleteParticipant(ctx, anna, evening))

	for _, token := range []string{agent, second, "used", "next"} {
		if erased, err := s.ErasedToken(ctx, store.HashOf(token)); err != nil || !erased {
			t.Errorf("token %s: got %v, error %v; want an erased one", token, erased, err)
		}
	}
	if erased, err := s.ErasedToken(ctx, store.HashOf("of nobody")); err != nil || erased {
		t.Errorf("token of nobody: got %v, error %v; want false", erased, err)
	}
	_, err = s.SaveReports(ctx, agent, []store.NewReport{newReport("BBB-BBB", report.Ready, evening)})
	wantError(t, "a delivery afterwards", err, store.ErrNotFound)
	_, err = s.AddCaseEntry(ctx, sent.Report.ID, store.CaseEntry{At: evening, By: "eva", Kind: store.CaseNoted, Text: "x"})
	wantError(t, "a note afterwards", err, store.ErrNotFound)
	_, err = s.Enrol(ctx, code, store.NewAgent{ID: uuid.NewString(), TokenHash: store.HashOf("x")}, evening)
	wantError(t, "the code that waited", err, store.ErrNotFound)
	for _, c := range councils {
		if ids, err := s.CouncilMemberIDs(ctx, c.ID); err != nil || !slices.Equal(ids, []string{berta}) {
			t.Errorf("%s: got members %v, error %v; want Berta", c.Name, ids, err)
		}
	}
	r, err := s.DisturbanceRecord(ctx, begin.SessionID)
	must(t, err)
	chained(t, r)
	if r.Hash() != before.Hash() {
		t.Errorf("got hash %s, want %s", r.Hash(), before.Hash())
	}
	var left []string
	for _, e := range r.Entries {
		for _, p := range e.People {
			left = append(left, p.Text)
		}
	}
	if want := []string{"Berta", "", "", "Eva", "", remarkText("Beginn war 18:05")}; !slices.Equal(left, want) {
		t.Errorf("got texts %q, want %q", left, want)
	}

	if about, err := s.PersonEntries(ctx, anna); err != nil || len(about) != 0 {
		t.Errorf("got entries about Anna %+v, error %v; want none", about, err)
	}

	// Her computer is set up for the same person again, who is a new participant. It gets another
	// id, so its old reports are not those of this agent; the code remains valid.
	again := store.Participant{ID: uuid.NewString(), Name: "Anna Muster", CreatedAt: evening}
	must(t, s.AddParticipant(ctx, again))
	must(t, s.AddEnrolCode(ctx, store.EnrolCode{Hash: code, ParticipantID: again.ID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
	_, err = s.Enrol(ctx, code, store.NewAgent{ID: agent, TokenHash: store.HashOf("y")}, evening)
	wantError(t, "the erased agent again", err, store.ErrExists)
	_, err = s.Enrol(ctx, code, store.NewAgent{ID: uuid.NewString(), TokenHash: store.HashOf("y")}, evening)
	must(t, err)
	if n, err := s.CountReports(ctx, again.ID); err != nil || n != 0 {
		t.Errorf("the new participant: got %d reports, error %v; want 0", n, err)
	}
}

// erasureWhileMany erases somebody while everything about them is being written. Each write is either
// erased or refused.
func erasureWhileMany(t *testing.T, s store.Store) {
	ctx := t.Context()
	for round := range 4 {
		anna, agent := person(t, s, "Anna Muster")
		berta, _ := person(t, s, "Berta")
		sent := newReport("AAA-AAA", report.NotReady, evening)
		_, err := s.SaveReports(ctx, agent, []store.NewReport{sent})
		must(t, err)
		council := store.Council{ID: uuid.NewString(), Name: fmt.Sprint("Rat ", round), CreatedAt: evening}
		must(t, s.AddCouncil(ctx, council))
		begin := store.DisturbanceRecord{SessionID: uuid.NewString(), Head: "{}", StartsAt: evening}
		codes := make([]store.Hash, 3)
		for i := range codes {
			codes[i] = store.HashOf(uuid.NewString())
			must(t, s.AddEnrolCode(ctx, store.EnrolCode{Hash: codes[i], ParticipantID: anna, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		var agents []string
		write := func(what string, may error, f func(i int) error) {
			wg.Go(func() {
				for i := range len(codes) {
					if err := f(i); err != nil && (may == nil || !errors.Is(err, may)) {
						t.Errorf("%s: got error %v, want none or %v", what, err, may)
					}
				}
			})
		}
		write("delivery", store.ErrNotFound, func(int) error {
			_, err := s.SaveReports(ctx, agent, []store.NewReport{newReport("BBB-BBB", report.Ready, evening)})
			return err
		})
		write("note", store.ErrNotFound, func(i int) error {
			_, err := s.AddCaseEntry(ctx, sent.Report.ID, store.CaseEntry{At: evening, By: "eva", Kind: store.CaseNoted, Text: fmt.Sprint(i)})
			return err
		})
		write("audit", nil, func(int) error {
			return s.AddAuditEntry(ctx, store.AuditEntry{ID: uuid.Must(uuid.NewV7()).String(), At: evening, Kind: store.AuditParticipantRead, ParticipantID: anna})
		})
		write("disturbance", nil, func(i int) error {
			_, _, err := s.AddDisturbanceEntry(ctx, begin, entry(store.DisturbanceReported, 20*i, 0, berta, berta+"=Berta", anna+"=Anna"))
			return err
		})
		write("enrolment", store.ErrNotFound, func(i int) error {
			id := uuid.NewString()
			_, err := s.Enrol(ctx, codes[i], store.NewAgent{ID: id, TokenHash: store.HashOf(id)}, evening)
			if err == nil {
				mu.Lock()
				agents = append(agents, id)
				mu.Unlock()
			}
			return err
		})
		write("token", store.ErrNotFound, func(i int) error {
			return s.AddToken(ctx, agent, store.HashOf(agent), store.HashOf(fmt.Sprint("next ", round, i)))
		})
		wg.Go(func() {
			if err := s.DeleteParticipant(ctx, anna, evening); err != nil {
				t.Errorf("erase: %v", err)
			}
		})
		wg.Wait()
		for _, id := range append(agents, agent) {
			if erased, err := s.ErasedToken(ctx, store.HashOf(id)); err != nil || !erased {
				t.Errorf("an agent enrolled before the erasure: got %v, error %v; want its token erased", erased, err)
			}
		}
		if _, err := s.Report(ctx, sent.Report.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the report: got error %v, want %v", err, store.ErrNotFound)
		}
		if n, err := s.CountReports(ctx, anna); err != nil || n != 0 {
			t.Errorf("got %d reports, error %v; want 0", n, err)
		}
		if page, err := s.AuditEntries(ctx, store.AuditQuery{ParticipantID: anna}); err != nil || len(page.Entries) != 0 {
			t.Errorf("got %d entries of the audit log with the id, error %v; want 0", len(page.Entries), err)
		}
		r, err := s.DisturbanceRecord(ctx, begin.SessionID)
		must(t, err)
		chained(t, r)
		for _, e := range r.Entries {
			for _, p := range e.People {
				if p.ParticipantID == anna || p.Text == "Anna" {
					t.Errorf("got %+v in a disturbance record, want nothing of the erased person", p)
				}
			}
		}
	}
}

// newerTombstones: a restored backup loses those who were erased since, keeps the others, and does not
// know the erased computers.
func newerTombstones(t *testing.T, s, restored store.Store) {
	ctx := t.Context()
	// The stores of a test may be copies of one another, with the same random key.
	own := store.TombstoneList{Keys: [][]byte{make([]byte, 32)}, Hashes: []store.Hash{store.HashOf("somebody")}}
	_, err := s.AddTombstones(ctx, own, evening)
	must(t, err)
	anna, agent := person(t, s, "Anna")
	gone, _ := person(t, s, "Gone long ago")
	must(t, s.DeleteParticipant(ctx, anna, evening))
	must(t, s.DeleteParticipant(ctx, gone, evening))
	list, err := s.Tombstones(ctx)
	must(t, err)
	if len(list.Keys) != 2 || len(list.Hashes) != 7 { // each with an agent and its token, and somebody
		t.Fatalf("got %d keys and %d tombstones, want 2 and 7", len(list.Keys), len(list.Hashes))
	}
	if want := store.TombstoneOf(own.Keys[0], store.TombstoneParticipant, anna); !slices.Contains(list.Hashes, want) {
		t.Fatalf("got tombstones %x, want one of Anna made with the first key", list.Hashes)
	}

	for _, p := range []store.Participant{{ID: anna, Name: "Anna"}, {ID: uuid.NewString(), Name: "Berta"}} { // as in the backup
		p.CreatedAt = evening
		must(t, restored.AddParticipant(ctx, p))
	}
	code := store.HashOf("code")
	must(t, restored.AddEnrolCode(ctx, store.EnrolCode{Hash: code, ParticipantID: anna, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
	_, err = restored.Enrol(ctx, code, store.NewAgent{ID: agent, TokenHash: store.HashOf(agent)}, evening)
	must(t, err)
	elsewhere, _ := person(t, restored, "Erased in the restored store")
	must(t, restored.DeleteParticipant(ctx, elsewhere, evening))

	for _, want := range []int{1, 0} { // the second time there is nothing to do
		if n, err := restored.AddTombstones(ctx, list, evening); err != nil || n != want {
			t.Errorf("got %d erased again, error %v; want %d", n, err, want)
		}
	}
	page, err := restored.ParticipantStates(ctx, store.StateQuery{})
	must(t, err)
	if len(page.States) != 1 || page.States[0].Name != "Berta" {
		t.Errorf("got participants %+v, want Berta", page.States)
	}
	if erased, err := restored.ErasedToken(ctx, store.HashOf(agent)); err != nil || !erased {
		t.Errorf("got %v, error %v; want the token to be that of an erased person", erased, err)
	}
	all, err := restored.Tombstones(ctx)
	must(t, err)
	if !slices.ContainsFunc(all.Keys, func(key []byte) bool { return slices.Equal(key, own.Keys[0]) }) || len(all.Hashes) != 10 {
		t.Errorf("got %d keys and %d tombstones, want the new key and 10", len(all.Keys), len(all.Hashes))
	}
}
