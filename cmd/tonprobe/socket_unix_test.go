//go:build unix

package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// servedMachine is a computer with a service and a folder for each of its users.
type servedMachine struct {
	t            *testing.T
	dir, socket  string
	service      agent
	running      *exec.Cmd
	collectorURL string
}

func newServedMachine(t *testing.T) (*servedMachine, *stub) {
	t.Helper()
	s := &stub{stored: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "run"), 0o755); err != nil {
		t.Fatal(err)
	}
	m := &servedMachine{
		t: t, dir: dir, socket: filepath.Join(dir, "run", "agent.sock"),
		service: agent{t, filepath.Join(dir, "service")}, collectorURL: server.URL,
	}
	m.start()
	return m, s
}

// start runs the service until the end of the test or until kill.
func (m *servedMachine) start() {
	m.t.Helper()
	c := m.service.command("service", "run", "--interval", "24h", "--socket", m.socket)
	c.Stderr = m.t.Output()
	if err := c.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.running = c
	m.t.Cleanup(m.kill)
	anna := m.user("probing")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c := anna.command("report", "list", "--json")
		if _, err := os.Stat(m.socket); err == nil && c.Run() == nil {
			return
		}
		if time.Now().After(deadline) {
			m.t.Fatal("the service does not open its socket")
		}
	}
}

func (m *servedMachine) kill() {
	if m.running != nil {
		_ = m.running.Process.Kill()
		_ = m.running.Wait()
		m.running = nil
	}
}

// person is a user's program.
type person struct {
	agent
	socket string
}

func (m *servedMachine) user(name string) person {
	return person{agent{m.t, filepath.Join(m.dir, name)}, m.socket}
}

func (p person) command(args ...string) *exec.Cmd {
	c := p.agent.command(args...)
	c.Env = append(c.Env, "TONPROBE_SOCKET="+p.socket)
	return c
}

func (p person) run(args ...string) string {
	p.t.Helper()
	out, err := p.command(args...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("tonprobe %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// check returns the agent's id in the report and the output for the person.
func (p person) check(args ...string) (agentID, said string) {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "report.json")
	// The stub has no reflector, so the verdict is not "ready".
	out, err := p.command(append([]string{"check", "--no-audio", "--plain", "--only", "network.web", "--json", file}, args...)...).CombinedOutput()
	b, readErr := os.ReadFile(file)
	if readErr != nil {
		p.t.Fatalf("no report: %v, %v\n%s", readErr, err, out)
	}
	var r struct{ Agent struct{ ID string } }
	if err := json.Unmarshal(b, &r); err != nil {
		p.t.Fatal(err)
	}
	return r.Agent.ID, string(out)
}

// stubToken is the token that the stub issues.
const stubToken = "secret-token"

func (m *servedMachine) tokenOnlyAtService() {
	m.t.Helper()
	err := filepath.WalkDir(m.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), stubToken) && !strings.HasPrefix(path, m.service.data) {
			m.t.Errorf("%s contains the token", path)
		}
		return err
	})
	if err != nil {
		m.t.Error(err)
	}
}

func TestTwoUsersAreOneComputer(t *testing.T) {
	m, s := newServedMachine(t)
	anna, bert := m.user("anna"), m.user("bert")
	if out := anna.run("enroll", "K7P3-QX9A", "--server", m.collectorURL); !strings.Contains(out, "everybody who uses this computer") {
		t.Errorf("enrol: got %s, want %q", out, "everybody who uses this computer")
	}
	a, saidA := anna.check()
	b, saidB := bert.check()
	if a != b || a == "" || !strings.Contains(saidA, "has been sent") || !strings.Contains(saidB, "has been sent") {
		t.Errorf("got the agents %s and %s, want one\n%s\n%s", a, b, saidA, saidB)
	}
	s.mu.Lock()
	if len(s.stored) != 2 {
		t.Errorf("got %d reports at the collector, want 2", len(s.stored))
	}
	s.mu.Unlock()
	if doc := anna.run("report", "show", "--json"); !strings.Contains(doc, a) {
		t.Errorf("got the report %s; want it to contain %q", doc, a)
	}
	if out, err := bert.command("enroll", "K7P3-QX9A", "--server", "https://other.example.org").CombinedOutput(); err == nil {
		// The test runs the service under the same account, which may do so.
		t.Errorf("another collector was accepted: %s", out)
	}
	m.tokenOnlyAtService()
}

// TestServiceDiesInTheMiddle kills the service while it sends the report.
func TestServiceDiesInTheMiddle(t *testing.T) {
	m, s := newServedMachine(t)
	anna := m.user("anna")
	anna.run("enroll", "K7P3-QX9A", "--server", m.collectorURL)
	s.arrived = make(chan struct{}, 8)
	s.setWithhold(true)
	go func() {
		<-s.arrived
		_ = m.running.Process.Kill()
	}()
	id, said := anna.check()
	if !strings.Contains(said, "no longer responds") {
		t.Errorf("got output %s; want it to contain %q", said, "no longer responds")
	}
	if list := anna.run("report", "list"); !strings.Contains(list, "not sent yet") {
		t.Errorf("got list %s; want it to contain %q", list, "not sent yet")
	}
	s.setWithhold(false)
	m.kill()
	m.start()
	again, _ := anna.check()
	if again != id {
		t.Errorf("got agent %s, then %s", id, again)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.stored) != 2 {
		t.Errorf("got %d reports at the collector, want 2", len(s.stored))
	}
}

// TestEarlierEnrolmentIsMerged: a person was enrolled before the service was installed.
func TestEarlierEnrolmentIsMerged(t *testing.T) {
	m, s := newServedMachine(t)
	anna := m.user("anna")
	anna.agent.run("enroll", "K7P3-QX9A", "--server", m.collectorURL) // without the service
	id, said := anna.check()
	if !strings.Contains(said, "has taken over your set-up") {
		t.Errorf("got output %s; want it to contain %q", said, "has taken over your set-up")
	}
	m.tokenOnlyAtService()
	if again, said := m.user("bert").check(); again != id || strings.Contains(said, "taken over") {
		t.Errorf("got agent %s, want %s: %s", again, id, said)
	}
	// Another person who was enrolled too.
	carla := m.user("carla")
	carla.agent.run("enroll", "K7P3-QX9A", "--server", m.collectorURL)
	if again, said := carla.check(); again != id || !strings.Contains(said, "set up twice") {
		t.Errorf("got agent %s, want %s: %s", again, id, said)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.stored) != 3 {
		t.Errorf("got %d reports at the collector, want 3", len(s.stored))
	}
}

// TestErrorNumberWithTheService compares an error number with a check whose report the
// service keeps.
func TestErrorNumberWithTheService(t *testing.T) {
	m, _ := newServedMachine(t)
	anna := m.user("anna")
	anna.run("enroll", "K7P3-QX9A", "--server", m.collectorURL)
	anna.check()
	var got struct{ Measured *struct{ Case string } }
	out := anna.run("explain", "bbb", "1007", "--json")
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Measured == nil || got.Measured.Case == "" {
		t.Errorf("got %s, error %v; want a comparison with the check", out, err)
	}
}

func TestWithoutServiceTheProgramUsesItsOwn(t *testing.T) {
	m, _ := newServedMachine(t)
	m.kill()
	anna := m.user("anna")
	if out := anna.run("enroll", "K7P3-QX9A", "--server", m.collectorURL); strings.Contains(out, "everybody") {
		t.Errorf("enrol: got %s, want nothing about other users", out)
	}
	if _, said := anna.check(); !strings.Contains(said, "has been sent") {
		t.Errorf("check: got %s, want %q", said, "has been sent")
	}
	if _, err := os.Stat(filepath.Join(anna.data, "identity.json")); err != nil {
		t.Error(err)
	}
}

// TestMeasurementsWithTheService performs measurements that need their own connections to
// the collector, for which the program does not have the agent's token.
func TestMeasurementsWithTheService(t *testing.T) {
	m, _ := newServedMachine(t)
	c := startCollector(t)
	anna := m.user("anna")
	anna.run("enroll", c.invite(t), "--server", c.url)
	out, _ := anna.command("check", "--no-audio", "--only", "network.web,media.load", "--json", "-").Output()
	r, err := report.Decode(out)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	web, load := report.Find[report.NetworkWeb](r), report.Find[report.MediaLoad](r)
	if web == nil || web.WebSocket == nil || !*web.WebSocket {
		t.Errorf("got WebSocket result %+v; want non-nil, WebSocket true", web)
	}
	if load == nil || load.DownKbps == nil || load.UpKbps == nil {
		t.Errorf("got %s, want the load in both directions", out)
	}
}
