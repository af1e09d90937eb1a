package station

import (
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestWaitingReportsAreSentWithoutACheck: a report that could not be sent after its check is sent
// before the next check.
func TestWaitingReportsAreSentWithoutACheck(t *testing.T) {
	var posts atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		posts.Add(1)
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		var in struct {
			Reports []struct {
				ID string `json:"id"`
			} `json:"reports"`
		}
		if err := json.NewDecoder(z).Decode(&in); err != nil || len(in.Reports) != 1 {
			t.Errorf("got %+v, %v, want one report", in, err)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"results":[{"id":%q,"status":"stored"}]}`, in.Reports[0].ID)
	}))
	defer server.Close()
	c, log, agent := config.Default(t.TempDir()), slog.New(slog.DiscardHandler), uuid.NewString()
	err := identity.Update(c.Data, func(id *identity.Identity) error {
		*id = identity.Identity{AgentID: agent, CreatedAt: renewedAt, Enrolment: &identity.Enrolment{
			Server: server.URL, Token: "t", Participant: "A", EnrolledAt: renewedAt}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sp, err := OpenSpool(t.Context(), c, log)
	if err != nil {
		t.Fatal(err)
	}
	id, err := report.NewID(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := (&report.Report{
		Schema: report.SchemaV1, ID: id, Case: "K7P-3QX", Trigger: report.TriggerCheck, Profile: "bbb",
		Agent: report.Agent{ID: agent, Version: "1", OS: "linux", Arch: "amd64"}, StartedAt: time.Now().UTC(), Verdict: report.Unknown,
	}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := sp.Put(t.Context(), id, doc); err != nil {
		t.Fatal(err)
	}
	kept := c
	kept.NoUpload = true
	if err := resend(t.Context(), kept, log); err != nil || posts.Load() != 0 {
		t.Errorf("with no_upload: got %v and %d requests, want none", err, posts.Load())
	}
	for round := range 2 { // nothing waits in the second spool
		if err := resend(t.Context(), c, log); err != nil || posts.Load() != 1 {
			t.Errorf("round %d: got %v and %d requests, want one", round, err, posts.Load())
		}
	}
	if waiting, err := sp.List(spool.Waiting); err != nil || len(waiting) != 0 {
		t.Errorf("got %v, %v, want no waiting report", waiting, err)
	}
}
