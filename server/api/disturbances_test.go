package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/disturbance"
	"github.com/tonprobe/tonprobe/server/store"
)

// inSession makes the participants of some agents members of a council with a session in progress.
func (g *rig) inSession(agents ...wire.EnrollResponse) store.CouncilSession {
	g.t.Helper()
	council := store.Council{ID: uuid.NewString(), Name: "Rat", CreatedAt: g.clock()}
	s := store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, StartsAt: g.clock().Add(-time.Minute)}
	err := errors.Join(g.store.AddCouncil(g.t.Context(), council), g.store.AddCouncilSession(g.t.Context(), s))
	for _, a := range agents {
		_, p, agentErr := g.store.AgentByToken(g.t.Context(), store.HashOf(a.Token))
		err = errors.Join(err, agentErr, g.store.AddCouncilMember(g.t.Context(), council.ID, p.ID))
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return s
}

func disturbanceAsk(token, body string) ask {
	return ask{method: http.MethodPost, path: "/" + wire.PathDisturbances, token: token, body: []byte(body)}
}

func TestAParticipantReportsADisturbance(t *testing.T) {
	g := newRig(t)
	anna, berta := g.enrolled("Anna"), g.enrolled("Berta")
	id := `{"id":"` + uuid.NewString() + `"}`
	wantFault(t, g.do(disturbanceAsk(anna.Token, id)), http.StatusConflict, wire.CodeNoSession)
	s := g.inSession(anna, berta)
	began := g.clock()
	report := func(token, body string, number int, at time.Time) {
		t.Helper()
		w := g.do(disturbanceAsk(token, body))
		var got wire.DisturbanceResponse
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || got.Number != number || !got.At.Equal(at) {
			t.Errorf("got status %d, %+v, error %v; want number %d at %v", w.Code, got, err, number, at)
		}
		g.wait(10 * time.Second)
	}
	report(anna.Token, id, 1, began)
	report(anna.Token, id, 1, began)                              // replayed
	report(anna.Token, `{"id":"`+uuid.NewString()+`"}`, 1, began) // the key was pressed again
	report(berta.Token, id, 2, began.Add(30*time.Second))         // the id of another agent
	record, err := g.store.DisturbanceRecord(t.Context(), s.ID)
	if err != nil || len(record.Entries) != 2 {
		t.Fatalf("got record %+v, error %v; want 2 entries", record, err)
	}
	read, err := disturbance.Read(record)
	if err != nil || read.Entries[0].By != disturbance.ByParticipant || read.Entries[0].Person(disturbance.RoleDisturbed).Name != "Anna" || read.Entries[0].Person(disturbance.RoleRemark) != nil {
		t.Errorf("got %+v, error %v; want a report by Anna without a remark", read.Entries, err)
	}
	_, _, err = g.store.AddDisturbanceEntry(t.Context(), record, store.DisturbanceEntry{Key: "x", Kind: store.RecordClosed, At: g.clock()})
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, g.do(disturbanceAsk(anna.Token, `{"id":"`+uuid.NewString()+`"}`)), http.StatusConflict, wire.CodeRecordClosed)
}

// TestAReportAfterThePlannedEnd: councils sit longer than planned.
func TestAReportAfterThePlannedEnd(t *testing.T) {
	g := newRig(t)
	anna := g.enrolled("Anna")
	s := g.inSession(anna)
	report := func(want int) {
		t.Helper()
		if w := g.do(disturbanceAsk(anna.Token, `{"id":"`+uuid.NewString()+`"}`)); w.Code != want {
			t.Errorf("%v after the start: got status %d, want %d: %s", g.clock().Sub(s.StartsAt), w.Code, want, w.Body)
		}
	}
	g.wait(6 * time.Hour) // the assumed length
	report(http.StatusOK)
	g.wait(4*time.Hour - 2*time.Minute)
	report(http.StatusOK)
	next := s
	next.ID, next.StartsAt = uuid.NewString(), g.clock().Add(30*time.Minute)
	if err := g.store.AddCouncilSession(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	g.wait(time.Minute / 2)
	report(http.StatusOK) // still in the first
	r, err := g.store.DisturbanceRecord(t.Context(), s.ID)
	if err != nil || len(r.Entries) != 2 {
		t.Fatalf("got record %+v, error %v; want 2 entries", r, err)
	}
	if _, _, err = g.store.AddDisturbanceEntry(t.Context(), r, store.DisturbanceEntry{Key: "x", Kind: store.RecordClosed, At: g.clock()}); err != nil {
		t.Fatal(err)
	}
	g.wait(10 * time.Second)
	report(http.StatusOK) // in the next, because the first is over
	if r, err = g.store.DisturbanceRecord(t.Context(), next.ID); err != nil || len(r.Entries) != 1 {
		t.Errorf("got record %+v, error %v; want an entry in the next session", r, err)
	}
	if err := g.store.RemoveCouncilSession(t.Context(), next.ID); err != nil {
		t.Fatal(err)
	}
	g.wait(2 * time.Minute)
	w := g.do(disturbanceAsk(anna.Token, `{"id":"`+uuid.NewString()+`"}`))
	wantFault(t, w, http.StatusConflict, wire.CodeNoSession)
}

func TestBadReportsOfDisturbances(t *testing.T) {
	g := newRig(t)
	anna := g.enrolled("Anna")
	s := g.inSession(anna)
	id := uuid.NewString()
	for _, c := range []struct {
		body   string
		status int
		code   string
	}{
		{``, http.StatusBadRequest, "body_malformed"}, {`[]`, http.StatusBadRequest, "body_malformed"}, {`{"id":7}`, http.StatusBadRequest, "body_malformed"},
		{`{"id":"` + id + `"}{}`, http.StatusBadRequest, "body_malformed"},
		{`{"id":"` + id + `","text":"<script>alert(1)</script>"}`, http.StatusBadRequest, "body_malformed"},
		{`{"id":"` + id + `","at":"2020-01-01T00:00:00Z"}`, http.StatusBadRequest, "body_malformed"},
		{`{"id":"'; DROP TABLE cases; --"}`, http.StatusBadRequest, "id_invalid"}, {`{"id":"` + strings.ToUpper(id) + `"}`, http.StatusBadRequest, "id_invalid"},
		{`{"id":"urn:uuid:` + id + `"}`, http.StatusBadRequest, "id_invalid"}, {`{}`, http.StatusBadRequest, "id_invalid"},
		{`{"id":"` + strings.Repeat("a", 2000) + `"}`, http.StatusRequestEntityTooLarge, "too_large"},
	} {
		wantFault(t, g.do(disturbanceAsk(anna.Token, c.body)), c.status, c.code)
		g.wait(disturbanceEvery)
	}
	valid := `{"id":"` + id + `"}`
	wantFault(t, g.do(disturbanceAsk("", valid)), http.StatusUnauthorized, wire.CodeTokenInvalid)
	other := disturbanceAsk(anna.Token, valid)
	other.contentType = "application/x-www-form-urlencoded"
	wantFault(t, g.do(other), http.StatusUnsupportedMediaType, "content_type")
	if err := g.store.RevokeAgent(t.Context(), anna.AgentID, g.clock()); err != nil {
		t.Fatal(err)
	}
	wantFault(t, g.do(disturbanceAsk(anna.Token, valid)), http.StatusUnauthorized, wire.CodeTokenInvalid)
	berta := g.enrolled("Berta")
	_, p, err := g.store.AgentByToken(t.Context(), store.HashOf(berta.Token))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.store.SetBlocked(t.Context(), p.ID, true); err != nil {
		t.Fatal(err)
	}
	wantFault(t, g.do(disturbanceAsk(berta.Token, valid)), http.StatusForbidden, "participant_blocked")
	if _, err := g.store.DisturbanceRecord(t.Context(), s.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("something was recorded: error %v, want %v", err, store.ErrNotFound)
	}
	cäsar := g.enrolled("Cäsar")
	refused := 0
	for range disturbanceBurst + 3 {
		if g.do(disturbanceAsk(cäsar.Token, valid)).Code == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("a flood: got %d refused, want 3", refused)
	}
}
