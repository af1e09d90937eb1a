package station

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/spool"
)

// TestRestUsesTheConnection expects that the reports that waited are sent over the connection of the
// new one: on a slow line another handshake takes as long as SendRest may take.
func TestRestUsesTheConnection(t *testing.T) {
	var connections, stored atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		var in struct{ Reports []struct{ ID string } }
		if err := json.NewDecoder(z).Decode(&in); err != nil || len(in.Reports) != 1 {
			t.Errorf("got %+v, error %v; want one report", in, err)
			return
		}
		stored.Add(1)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"results":[{"id":%q,"status":"stored"}]}`, in.Reports[0].ID)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	log := slog.New(slog.DiscardHandler)
	st, err := Open(config.Default(t.TempDir()), log)
	if err != nil {
		t.Fatal(err)
	}
	st.id.Enrolment = &identity.Enrolment{Server: server.URL, Token: "t", Participant: "A", EnrolledAt: renewedAt}
	sp, err := OpenSpool(t.Context(), st.Config, log)
	if err != nil {
		t.Fatal(err)
	}
	older, newer := testReport(t), testReport(t)
	older.Agent.ID, newer.Agent.ID = st.AgentID(), st.AgentID()
	if err := st.keep(t.Context(), sp, older); err != nil {
		t.Fatal(err)
	}
	d := &Delivery{Station: st}
	if got := d.Deliver(t.Context(), newer); got != Sent {
		t.Fatalf("got %s, error %v; want %s", got, d.Err, Sent)
	}
	d.SendRest(t.Context())
	waiting, err := sp.List(spool.Waiting)
	if err != nil || len(waiting) != 0 || stored.Load() != 2 || connections.Load() != 1 {
		t.Errorf("got %d waiting, %d stored, %d connections, error %v; want 0, 2, 1, nil",
			len(waiting), stored.Load(), connections.Load(), err)
	}
}
