package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

func statusOf(err error) string {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return strconv.Itoa(e.ExitCode())
	}
	return err.Error()
}

// program returns the path of the real program, which is this test binary under its name.
func program(t *testing.T) string {
	t.Helper()
	need.Full(t, "a collector as a process")
	binary, err := exec.LookPath("tonprobe-collector") // created by testscript.Main
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// process is a collector process.
type process struct {
	*exec.Cmd
	url    string
	output *bytes.Buffer // output until it is ready
	log    *bytes.Buffer // complete after Wait
	said   chan struct{} // closed at the end of its output
}

// start serves plain HTTP, as behind a proxy.
func start(t *testing.T, binary, dataDir string) *process {
	t.Helper()
	return serving(t, binary, dataDir, "--behind-proxy")
}

// startTLS serves with the collector's own certificate.
func startTLS(t *testing.T, binary, dataDir string) *process {
	t.Helper()
	return serving(t, binary, dataDir)
}

func serving(t *testing.T, binary, dataDir string, flags ...string) *process {
	t.Helper()
	p := &process{output: new(bytes.Buffer), log: new(bytes.Buffer), said: make(chan struct{})}
	args := []string{"serve", "--data", dataDir, "--listen", "127.0.0.1:0", "--stun-listen", "127.0.0.1:0", "--media-listen", "127.0.0.1:0"}
	p.Cmd = exec.CommandContext(context.WithoutCancel(t.Context()), binary, append(args, flags...)...)
	p.Stderr = io.MultiWriter(t.Output(), p.log)
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		fmt.Fprintln(p.output, lines.Text())
		if _, url, ok := strings.Cut(lines.Text(), "is ready: "); ok {
			p.url = url
			break
		}
	}
	go func() { defer close(p.said); _, _ = io.Copy(io.Discard, out) }()
	if p.url == "" {
		t.Fatalf("the collector did not print its address: %s", p.output)
	}
	return p
}

// client is an enrolled agent.
type client struct {
	url, agentID, token string
	http                *http.Client
}

func enrolOverTheWire(t *testing.T, binary, dataDir, url string) client {
	t.Helper()
	return enrolOver(t, &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}, binary, dataDir, url)
}

func enrolOver(t *testing.T, over *http.Client, binary, dataDir, url string) client {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary, "participant", "add", "Anna", "--json", "--data", dataDir).Output()
	if err != nil {
		t.Fatalf("participant add beside the running collector: %v", err)
	}
	var invited struct{ Participant, Code string }
	if err := json.Unmarshal(out, &invited); err != nil || invited.Participant == "" {
		t.Fatalf("%s: %v", out, err)
	}
	c := client{url: url, http: over}
	body, err := json.Marshal(map[string]string{"code": invited.Code})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.http.Post(url+"/api/v1/enroll", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var enrolled struct {
		AgentID string `json:"agent_id"`
		Token   string
	}
	if err := json.NewDecoder(resp.Body).Decode(&enrolled); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("enroll: %s, %v", resp.Status, err)
	}
	c.agentID, c.token = enrolled.AgentID, enrolled.Token
	return c
}

// newBatch returns a request body with n reports.
func (c client) newBatch(t *testing.T, n int) []byte {
	t.Helper()
	var list struct {
		Reports []*report.Report `json:"reports"`
	}
	for range n {
		now := time.Now().UTC()
		id, err := report.NewID(now, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		list.Reports = append(list.Reports, &report.Report{Schema: report.SchemaV1, ID: id, Case: "K7P-3QX",
			Agent:   report.Agent{ID: c.agentID, Version: "1", OS: "linux", Arch: "amd64"},
			Trigger: report.TriggerCheck, Profile: "bbb", StartedAt: now, Verdict: report.Ready,
			Probes: []report.Result{}, Causes: []report.Cause{}})
	}
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// send returns the acknowledged ids, and for each whether the status was "stored".
func (c client) send(body []byte) (promised map[string]bool, err error) {
	q, err := http.NewRequest(http.MethodPost, c.url+"/api/v1/reports", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(q)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct{ Results []struct{ ID, Status string } }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusAccepted {
		return nil, fmt.Errorf("%s: %w", resp.Status, err)
	}
	promised = map[string]bool{}
	for _, r := range answer.Results {
		if r.Status == "stored" || r.Status == "duplicate" {
			promised[r.ID] = r.Status == "stored"
		}
	}
	return promised, nil
}

func TestKilledInABurstKeepsAcknowledgedReports(t *testing.T) {
	binary := program(t)
	t.Run("SQLite", func(t *testing.T) {
		dataDir := t.TempDir()
		killDuringBurst(t, binary, dataDir, inFile(t, dataDir))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		address := pgtest.Database(t)
		t.Setenv("TONPROBE_DATABASE_URL", address)
		killDuringBurst(t, binary, t.TempDir(), func() (*sqlstore.Store, error) {
			return sqlstore.OpenPostgres(t.Context(), address, sqlstore.Options{})
		})
	})
}

func killDuringBurst(t *testing.T, binary, dataDir string, open func() (*sqlstore.Store, error)) {
	p := start(t, binary, dataDir)
	const senders, each, batch = 8, 6, 5 // within the rate limit of an agent
	var clients []client
	for range senders {
		clients = append(clients, enrolOverTheWire(t, binary, dataDir, p.url))
	}
	var mu sync.Mutex
	promised := map[string]bool{}
	bodies := map[int][][]byte{}
	for i, c := range clients {
		for range each {
			bodies[i] = append(bodies[i], c.newBatch(t, batch))
		}
	}
	enough := make(chan struct{}) // closed in the middle of the burst
	var once sync.Once
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			for _, body := range bodies[i] {
				ids, err := c.send(body)
				if err != nil {
					return // killed
				}
				mu.Lock()
				for id := range ids {
					promised[id] = true
				}
				if len(promised) >= senders*each*batch/3 {
					once.Do(func() { close(enough) })
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	if err := p.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	wg.Wait()
	<-p.said
	_ = p.Wait()
	if len(promised) == senders*each*batch {
		t.Log("all requests were answered before the kill")
	}

	p = start(t, binary, dataDir)
	total := 0
	for i, c := range clients { // the agents repeat all deliveries without a response
		c.url = p.url
		for _, body := range bodies[i] {
			ids, err := c.send(body)
			if err != nil {
				t.Fatal(err)
			}
			for id, storedNow := range ids {
				if storedNow && promised[id] {
					t.Errorf("report %s was acknowledged with 202, but is missing", id)
				}
			}
			total += len(ids)
		}
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.said
	if err := p.Wait(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	wantKept(t, open, total)
}

// inFile opens the store of a collector that uses SQLite.
func inFile(t *testing.T, dataDir string) func() (*sqlstore.Store, error) {
	return func() (*sqlstore.Store, error) {
		return sqlstore.OpenSQLite(t.Context(), datadir.Database(dataDir), sqlstore.Options{})
	}
}

// wantKept counts the distinct reports in the store.
func wantKept(t *testing.T, open func() (*sqlstore.Store, error), want int) {
	t.Helper()
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	states, err := s.ParticipantStates(t.Context(), store.StateQuery{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, p := range states.States {
		page, err := s.ParticipantReports(t.Context(), store.ReportQuery{ParticipantID: p.ID, Limit: store.MaxPage})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Reports {
			seen[r.ID]++
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("report %s is stored %d times, want once", id, n)
		}
	}
	if len(seen) != want {
		t.Errorf("got %d stored reports, want %d", len(seen), want)
	}
}

func TestFirstStartPrintsThePasswordAndStopsInTime(t *testing.T) {
	binary, dataDir := program(t), filepath.Join(t.TempDir(), "data")
	p := start(t, binary, dataDir)
	if !strings.Contains(p.output.String(), "support") || !strings.Contains(p.output.String(), "Password, shown only now:") {
		t.Errorf("got output %s; want it to contain %q and %q", p.output, "support", "Password, shown only now:")
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.said
	if err := p.Wait(); err != nil || !strings.Contains(p.log.String(), "stopping") || strings.Contains(p.log.String(), "some requests were cut off") {
		t.Errorf("stopped with %v and the log\n%s\nwant no error and no requests cut off after shutdownTimeout", err, p.log)
	}
	if again := start(t, binary, dataDir); strings.Contains(again.output.String(), "Password") {
		t.Errorf("got output of the second start %s; want it without %q", again.output, "Password")
	}
}
