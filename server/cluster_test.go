package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/privacy"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// eventually polls a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// runTwo runs two collectors on one PostgreSQL database, with the same keys.
func runTwo(t *testing.T) (a, b running) {
	t.Helper()
	address := pgtest.Database(t)
	one, other := t.TempDir(), t.TempDir()
	c := Config{DataDir: one, DatabaseURL: address, BehindProxy: loopback, MetricsListen: "127.0.0.1:0"}
	a = run(t, c)
	copyKeys(t, one, other)
	c.DataDir = other
	b = run(t, c)
	eventually(t, "they hear each other", func() bool { return a.cluster.Others() == 1 && b.cluster.Others() == 1 })
	return a, b
}

func copyKeys(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(datadir.TLS(to), os.DirFS(datadir.TLS(from))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"identity.key", "staff.key"} {
		if err := os.Chmod(filepath.Join(datadir.TLS(to), name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// agentAt is the channel of an enrolled agent.
type agentAt struct {
	enroll.Enrolled
	conn *websocket.Conn
}

func (r running) connectAgent(t *testing.T, name string) agentAt {
	t.Helper()
	_, code, _, err := r.AddParticipant(t.Context(), name, "")
	if err != nil {
		t.Fatal(err)
	}
	var a agentAt
	if a.Enrolled, err = r.enroller.Accept(t.Context(), code, enroll.Applicant{Version: "1", OS: "linux", Arch: "amd64"}); err != nil {
		t.Fatal(err)
	}
	a.conn, _, err = websocket.Dial(t.Context(), r.URL()+"/"+wire.PathChannel, &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + a.Token}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.conn.CloseNow() })
	a.send(t, `{"type":"hello","version":"1","instance":"`+name+`","screen":true}`)
	if m := a.read(t); m.Type != wire.MessageHello {
		t.Fatalf("got first message %+v, want type %s", m, wire.MessageHello)
	}
	return a
}

func (a agentAt) send(t *testing.T, message string) {
	t.Helper()
	if err := a.conn.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

func (a agentAt) read(t *testing.T) wire.ChannelMessage {
	t.Helper()
	_, b, err := a.conn.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, err := wire.ParseFromCollector(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTwoCollectorsShareTheChannel(t *testing.T) {
	a, b := runTwo(t)
	anna := a.connectAgent(t, "anna")
	eventually(t, "the other collector knows the agent", func() bool { return b.agents.State(anna.AgentID).Screen })

	r, err := b.agents.Request(anna.AgentID, wire.RetestFull, "support", "")
	if err != nil {
		t.Fatal(err)
	}
	if m := anna.read(t); m.Type != wire.MessageRetest || m.ID != r.ID {
		t.Errorf("the agent received %+v, want the request %s", m, r.ID)
	}
	if _, err := a.agents.Request(anna.AgentID, wire.RetestFull, "support", ""); !errors.Is(err, live.ErrRetestRunning) {
		t.Errorf("a second request: got error %v, want %v", err, live.ErrRetestRunning)
	}
	anna.send(t, `{"type":"consent","id":"`+r.ID+`","given":true}`)
	anna.send(t, `{"type":"level","id":"`+r.ID+`","rms_dbfs":-20,"peak_dbfs":-9}`)
	eventually(t, "the level is known", func() bool { s := b.agents.State(anna.AgentID).Retest; return s != nil && s.Level != nil })
	b.agents.Cancel(anna.AgentID, r.ID)
	if m := anna.read(t); m.Type != wire.MessageCancel || m.ID != r.ID {
		t.Errorf("the agent received %+v, want the cancellation", m)
	}
	b.agents.Disconnect(anna.AgentID)
	if _, _, err := anna.conn.Read(t.Context()); websocket.CloseStatus(err) != wire.CloseShut {
		t.Errorf("revoked at the other collector: got close error %v, want %d", err, wire.CloseShut)
	}
}

// TestErasedAtOneOfTwoCollectors: a participant is erased at one collector during a retest that the other
// one runs. Both refuse the computer, and neither brings the participant back.
func TestErasedAtOneOfTwoCollectors(t *testing.T) {
	a, b := runTwo(t)
	ctx := t.Context()
	anna := a.connectAgent(t, "anna")
	eventually(t, "the other collector knows the agent", func() bool { return b.agents.State(anna.AgentID).Screen })
	r, err := b.agents.Request(anna.AgentID, wire.RetestFull, "support", "")
	if err != nil {
		t.Fatal(err)
	}
	anna.read(t)
	anna.send(t, `{"type":"consent","id":"`+r.ID+`","given":true}`)
	eventually(t, "the retest runs", func() bool {
		s := b.agents.State(anna.AgentID).Retest
		return s != nil && s.State == live.RetestRunning
	})

	if err := b.erase(ctx, anna.Participant.ID); err != nil { // as the dashboard does
		t.Fatal(err)
	}
	b.agents.Disconnect(anna.AgentID)
	if _, _, err := anna.conn.Read(ctx); websocket.CloseStatus(err) != wire.CloseShut {
		t.Errorf("got close error %v, want %d", err, wire.CloseShut)
	}
	for _, c := range []running{a, b} {
		_, resp, err := websocket.Dial(ctx, c.URL()+"/"+wire.PathChannel, &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + anna.Token}}})
		if err == nil {
			t.Fatal("an erased computer is connected again")
		}
		if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusForbidden || !strings.Contains(string(body), wire.CodeErased) {
			t.Errorf("connecting again: got status %d, %s; want %s", resp.StatusCode, body, wire.CodeErased)
		}
	}

	// The database is replaced by one from before the erasure, which only b has noted so far.
	before, err := b.store.Tombstones(ctx)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, b.config.DatabaseURL, `DELETE FROM tombstones`)
	if err := b.store.AddParticipant(ctx, anna.Participant); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error)
	for _, c := range []running{a, b} {
		go func() {
			_, err := privacy.Sync(ctx, c.store, c.config.DataDir, time.Now(), time.Time{})
			errs <- err
		}()
	}
	if err := errors.Join(<-errs, <-errs); err != nil {
		t.Errorf("both at the same time: %v", err)
	}
	if _, err := privacy.Sync(ctx, a.store, a.config.DataDir, time.Now(), time.Time{}); err != nil {
		t.Error(err)
	}
	for _, c := range []running{a, b} {
		if _, err := c.store.Participant(ctx, anna.Participant.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got error %v, want %v", err, store.ErrNotFound)
		}
		if list, err := privacy.ReadList(c.config.DataDir); err != nil || !slices.Equal(list.Hashes, before.Hashes) {
			t.Errorf("got a list of %d, error %v; want %d", len(list.Hashes), err, len(before.Hashes))
		}
	}
}

func TestTwoCollectorsShareEvents(t *testing.T) {
	a, b := runTwo(t)
	for _, kind := range []live.Kind{live.ReportStored, live.ParticipantEnrolled, live.ParticipantChanged} {
		got := b.live.SubscribeTo(t.Context(), func(e live.Event) bool { return e.Kind == kind })
		a.live.Publish(live.Event{Kind: kind, ParticipantID: "anna", At: time.Now()})
		if e := <-got; e.ParticipantID != "anna" {
			t.Errorf("%s: got event %+v, want one about anna", kind, e)
		}
	}
}

// TestCredentialsAreValidAtBothCollectors, without a configured secret.
func TestCredentialsAreValidAtBothCollectors(t *testing.T) {
	a, b := runTwo(t)
	token := a.reflector.ICE("agent", "127.0.0.1").MeasureToken
	if owner, ok := b.reflector.MeasureOwner(token); !ok || owner != "agent" {
		t.Errorf("got owner %q, %v; want the agent of the other collector's token", owner, ok)
	}
}

func TestMetricsSayHowManyCollectorsAreHeard(t *testing.T) {
	a, _ := runTwo(t)
	resp, err := http.Get("http://" + a.metrics.listener.Addr().String() + MetricsPath)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\ntonprobe_cluster_collectors_heard 1\n", "\ntonprobe_cluster_leads 1\n", "\ntonprobe_cluster_ignored_total 0\n"} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the metrics lack %q", want)
		}
	}
}

// TestCollectorsWithDifferentSecrets: a second collector that would contradict the first does not start.
func TestCollectorsWithDifferentSecrets(t *testing.T) {
	address := pgtest.Database(t)
	dir := t.TempDir()
	run(t, Config{DataDir: dir, DatabaseURL: address, BehindProxy: loopback, TURNSecret: []byte("one")})
	for _, c := range []struct {
		name   string
		keys   bool
		lost   string // one of the keys that was not copied
		secret string
		want   string
	}{
		{"other keys", false, "", "one", "identity.key"},
		{"another TURN secret", true, "", "two", "--turn-secret-file"},
		{"no TURN secret", true, "", "", "--turn-secret-file"},
		{"no key of staff", true, "staff.key", "one", "staff.key"},
	} {
		other := t.TempDir()
		if c.keys {
			copyKeys(t, dir, other)
		}
		if c.lost != "" {
			if err := os.Remove(filepath.Join(datadir.TLS(other), c.lost)); err != nil {
				t.Fatal(err)
			}
		}
		s, err := New(t.Context(), Config{DataDir: other, DatabaseURL: address, BehindProxy: loopback, TURNSecret: []byte(c.secret),
			Listen: "127.0.0.1:0", STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0"})
		if !errors.Is(err, ErrConfig) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: got error %v, want %v that names %s", c.name, err, ErrConfig, c.want)
		}
		if err == nil {
			_ = s.Close()
		}
	}
}

func TestOneCollectorDeletesExpiredData(t *testing.T) {
	a, b := runTwo(t)
	eventually(t, "one of them leads", func() bool { return a.leads() != b.leads() })
	leader, next := a, b
	if b.leads() {
		leader, next = b, a
	}
	if err := leader.stop(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other one follows", next.leads)
	alone, err := New(context.Background(), Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = alone.Close() }()
	if !alone.leads() {
		t.Error("a collector with SQLite does not delete expired data")
	}
}
