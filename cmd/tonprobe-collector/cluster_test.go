package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// eventually polls a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// balancer passes TCP connections to the first collector that accepts one.
type balancer struct {
	url string
	to  []string
}

func startBalancer(t *testing.T, collectors ...string) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{url: "http://" + l.Addr().String()}
	for _, c := range collectors {
		b.to = append(b.to, strings.TrimPrefix(c, "http://"))
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { b.pass(t.Context(), c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); running.Wait() })
	return b
}

func (b *balancer) pass(ctx context.Context, from net.Conn) {
	defer func() { _ = from.Close() }()
	for _, address := range b.to {
		to, err := net.Dial("tcp", address)
		if err != nil {
			continue
		}
		defer context.AfterFunc(ctx, func() { _ = to.Close() })()
		var back sync.WaitGroup
		back.Go(func() { _, _ = io.Copy(from, to); _ = from.Close() })
		_, _ = io.Copy(to, from)
		_ = to.Close()
		back.Wait()
		return
	}
}

// fakeAgent is an agent that connects again whenever its channel ends, as the real one does.
type fakeAgent struct {
	client
	mu     sync.Mutex
	conn   *websocket.Conn
	asked  []string // ids of retests
	answer string   // the retest that it is answering
}

func (a *fakeAgent) run(ctx context.Context) {
	for ctx.Err() == nil {
		_ = a.once(ctx)
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (a *fakeAgent) once(ctx context.Context) error {
	conn, _, err := websocket.Dial(ctx, a.url+"/"+wire.PathChannel, &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + a.token}}})
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	a.mu.Lock()
	hello := `{"type":"hello","version":"1","instance":"` + a.agentID[:8] + `","screen":true}`
	if a.answer != "" {
		hello = strings.Replace(hello, `"version"`, `"id":"`+a.answer+`","version"`, 1)
	}
	a.conn = conn
	a.mu.Unlock()
	if err := conn.Write(ctx, websocket.MessageText, []byte(hello)); err != nil {
		return err
	}
	for {
		_, b, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		if m, err := wire.ParseFromCollector(b); err == nil && m.Type == wire.MessageRetest {
			a.mu.Lock()
			a.asked, a.answer = append(a.asked, m.ID), m.ID
			a.mu.Unlock()
		}
	}
}

func (a *fakeAgent) say(ctx context.Context, message string) error {
	a.mu.Lock()
	conn := a.conn
	a.mu.Unlock()
	if conn == nil {
		return errors.New("not connected")
	}
	return conn.Write(ctx, websocket.MessageText, []byte(message))
}

func (a *fakeAgent) wasAsked() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.asked...)
}

// desk is a signed-in member of staff at one collector.
type desk struct {
	t       *testing.T
	url     string
	cookies []*http.Cookie
}

func (d *desk) do(method, path string, form url.Values) (status int, body string) {
	d.t.Helper()
	q, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		d.t.Fatal(err)
	}
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, c := range d.cookies {
		q.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	resp, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	d.cookies = append(d.cookies, resp.Cookies()...)
	return resp.StatusCode, string(b)
}

// events counts the changes of which an open page is notified.
func (d *desk) events(path string, event string) (count func() int) {
	d.t.Helper()
	q, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.url+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, c := range d.cookies {
		q.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	resp, err := http.DefaultTransport.RoundTrip(q)
	if err != nil || resp.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %v, %v", path, resp, err)
	}
	var mu sync.Mutex
	n := 0
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if lines.Text() == "event: "+event {
				mu.Lock()
				n++
				mu.Unlock()
			}
		}
	})
	d.t.Cleanup(func() { _ = resp.Body.Close(); reading.Wait() })
	return func() int { mu.Lock(); defer mu.Unlock(); return n }
}

var versionOf = regexp.MustCompile(`data-version=\\"([^"\\]*)\\"`)

// TestOneOfTwoCollectorsIsKilled: two processes on one PostgreSQL database behind a balancer. One of them
// is killed during a burst of reports and a retest, which the other one continues.
func TestOneOfTwoCollectorsIsKilled(t *testing.T) {
	database := pgtest.Database(t)
	t.Setenv("TONPROBE_DATABASE_URL", database)
	binary, dirA, dirB := program(t), t.TempDir(), t.TempDir()
	a := start(t, binary, dirA)
	if err := os.CopyFS(datadir.TLS(dirB), os.DirFS(datadir.TLS(dirA))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"identity.key", "staff.key"} {
		if err := os.Chmod(filepath.Join(datadir.TLS(dirB), name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := start(t, binary, dirB)
	front := startBalancer(t, a.url, b.url)

	_, password, _ := strings.Cut(a.output.String(), "Password, shown only now:")
	password, _, _ = strings.Cut(strings.TrimSpace(password), "\n")
	staff := &desk{t: t, url: b.url}
	if status, _ := staff.do(http.MethodPost, "/login", url.Values{"name": {"support"}, "password": {password}}); status != http.StatusSeeOther {
		t.Fatalf("login: got status %d, want %d", status, http.StatusSeeOther)
	}

	// Wrong passwords count at both: ten of one name and address, and then one every 30 s, whichever
	// collector gets them.
	began, tried, refused := time.Now(), 0, 0
	for n := 0; refused < 2; n++ { // until both refuse
		guesser := &desk{t: t, url: []string{a.url, b.url}[n%2]}
		switch status, _ := guesser.do(http.MethodPost, "/login", url.Values{"name": {"nobody"}, "password": {"wrong"}}); status {
		case http.StatusUnprocessableEntity:
			tried, refused = tried+1, 0
		case http.StatusTooManyRequests:
			refused++
		default:
			t.Fatalf("a wrong password: got status %d, want %d or %d", status, http.StatusUnprocessableEntity, http.StatusTooManyRequests)
		}
	}
	if most := 10 + int(time.Since(began)/(30*time.Second)); tried < 10 || tried > most {
		t.Errorf("got %d wrong passwords at two collectors, want 10 to %d", tried, most)
	}

	agents, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	connect := func(ctx context.Context, url string) *fakeAgent {
		f := &fakeAgent{client: enrolOverTheWire(t, binary, dirA, url)}
		running.Go(func() { f.run(ctx) })
		return f
	}
	anna := connect(agents, front.url)
	gone, stopGone := context.WithCancel(agents)
	defer stopGone()
	lost := connect(gone, a.url) // connected to the collector that will be killed
	data, err := sqlstore.OpenPostgres(t.Context(), database, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = data.Close() }()
	page := func(f *fakeAgent) string {
		t.Helper()
		list, err := data.ParticipantStates(t.Context(), store.StateQuery{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list.States {
			agents, err := data.Agents(t.Context(), p.ID)
			if err != nil {
				t.Fatal(err)
			}
			if len(agents) == 1 && agents[0].ID == f.agentID {
				return "/participants/" + p.ID
			}
		}
		t.Fatal("the agent has no participant")
		return ""
	}
	pageOfAnna, pageOfLost := page(anna), page(lost)
	part := func(page string) string {
		t.Helper()
		status, body := staff.do(http.MethodGet, page+"/retest", nil)
		if status != http.StatusOK {
			t.Fatalf("%s: got status %d, want %d: %s", page, status, http.StatusOK, body)
		}
		return body
	}
	connected := func(page string) bool { return strings.Contains(part(page), `tag link`) }
	state := func(page string) string {
		m := versionOf.FindStringSubmatch(part(page))
		if m == nil {
			return ""
		}
		return m[1]
	}
	eventually(t, "the page of one collector shows the agents of the other", func() bool { return connected(pageOfAnna) && connected(pageOfLost) })

	// A report that one collector stores is on the open pages of the other.
	changes := staff.events("/events", "change")
	c := anna.client
	c.url = a.url
	if _, err := c.send(c.newBatch(t, 1)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the open list is notified", func() bool { return changes() > 0 })

	// A retest that is requested at one collector reaches the agent at the other.
	progress := staff.events("/events?participant="+strings.TrimPrefix(pageOfAnna, "/participants/"), "retest")
	if status, body := staff.do(http.MethodPost, pageOfAnna+"/computers/"+anna.agentID+"/retest", url.Values{"what": {"full"}}); status != http.StatusSeeOther {
		t.Fatalf("request: got status %d, want %d: %s", status, http.StatusSeeOther, body)
	}
	eventually(t, "the agent is asked", func() bool { return len(anna.wasAsked()) == 1 })
	id := anna.wasAsked()[0]
	if err := anna.say(t.Context(), `{"type":"consent","id":"`+id+`","given":true}`); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the retest runs, as seen at the other collector", func() bool { return state(pageOfAnna) == id+"running" && progress() > 0 })

	// The burst, and the kill in the middle of it.
	const senders, each, batch = 4, 10, 5
	var mu sync.Mutex
	acknowledged := map[string]int{}
	enough := make(chan struct{})
	var once sync.Once
	var sending sync.WaitGroup
	for range senders {
		sender := enrolOverTheWire(t, binary, dirA, front.url)
		var bodies [][]byte
		for range each {
			bodies = append(bodies, sender.newBatch(t, batch))
		}
		sending.Go(func() {
			for _, body := range bodies {
				for {
					ids, err := sender.send(body)
					if err != nil {
						select { // as the spool does
						case <-time.After(20 * time.Millisecond):
							continue
						case <-agents.Done():
							return
						}
					}
					mu.Lock()
					for id := range ids {
						acknowledged[id]++
					}
					if len(acknowledged) >= senders*each*batch/3 {
						once.Do(func() { close(enough) })
					}
					mu.Unlock()
					break
				}
			}
		})
	}
	<-enough
	if err := a.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	killed := time.Now()
	sending.Wait()
	t.Logf("all reports were acknowledged %v after the kill", time.Since(killed))
	if len(acknowledged) != senders*each*batch {
		t.Errorf("%d reports were acknowledged, want %d", len(acknowledged), senders*each*batch)
	}
	eventually(t, "an agent of the killed collector no longer counts as connected", func() bool { return !connected(pageOfLost) })
	t.Logf("the page was right %v after the kill", time.Since(killed))
	eventually(t, "the other agent is connected to the other collector", func() bool { return connected(pageOfAnna) })
	if s := state(pageOfAnna); s != id+"running" {
		t.Errorf("after the kill: the page shows the retest %q, want %q", s, id+"running")
	}
	eventually(t, "the retest ends at the other collector", func() bool {
		_ = anna.say(t.Context(), `{"type":"done","id":"`+id+`","report_id":"0192f5b8-7c3e-7d21-9a4b-3f2e1d0c5b6a"}`)
		return state(pageOfAnna) == id+"done"
	})
	if asked := anna.wasAsked(); len(asked) != 1 {
		t.Errorf("the agent was asked %d times, want once", len(asked))
	}
	stop()
	running.Wait()
	wantKept(t, func() (*sqlstore.Store, error) {
		return sqlstore.OpenPostgres(t.Context(), database, sqlstore.Options{})
	}, senders*each*batch+1)
}
