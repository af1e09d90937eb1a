package web_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/web"
)

// listening is an open event stream.
type listening struct {
	t     *testing.T
	resp  *http.Response
	lines chan string // closed when the stream ends
}

func (g *rig) serve() *httptest.Server {
	g.t.Helper()
	s := httptest.NewServer(g.handler)
	g.t.Cleanup(s.Close)
	g.t.Cleanup(g.live.Close) // ends the streams first
	return s
}

func (g *rig) listen(s *httptest.Server, path string) *listening {
	g.t.Helper()
	q, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, s.URL+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, c := range g.cookies {
		q.AddCookie(c)
	}
	resp, err := s.Client().Do(q)
	if err != nil {
		g.t.Fatal(err)
	}
	l := &listening{t: g.t, resp: resp, lines: make(chan string, 100)}
	g.t.Cleanup(func() { _ = resp.Body.Close() })
	go func() {
		defer close(l.lines)
		for scan := bufio.NewScanner(resp.Body); scan.Scan(); {
			if scan.Text() != "" {
				l.lines <- scan.Text()
			}
		}
	}()
	return l
}

func (l *listening) next() (line string, open bool) {
	l.t.Helper()
	select {
	case line, open = <-l.lines:
		return line, open
	case <-time.After(patience):
		l.t.Fatal("got no line")
		return "", false
	}
}

func (l *listening) want(lines ...string) {
	l.t.Helper()
	for _, want := range lines {
		if got, _ := l.next(); got != want {
			l.t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// longBeat is a heartbeat interval for tests in which no heartbeat is to be sent.
func longBeat(c *web.Config) { c.Heartbeat = time.Hour }

func TestStreamReportsChanges(t *testing.T) {
	g := newRig(t, longBeat).login()
	p, agentID := g.person("Anna", "")
	q, otherID := g.person("Berta", "")
	s := g.serve()
	all, one := g.listen(s, "/events"), g.listen(s, "/events?participant="+p.ID)
	if got := all.resp.Header.Get("Content-Type"); got != "text/event-stream" || all.resp.Header.Get("X-Accel-Buffering") != "no" {
		t.Errorf("got headers %v, want an event stream that proxies do not buffer", all.resp.Header)
	}
	all.want("retry: 3000")
	one.want("retry: 3000")
	for range 2 { // the first would have arrived before the second
		g.keep(q, newReport(t, otherID, "A1B-2C3", g.clock(), passage()))
		all.want("event: change", "data: {}")
	}
	select {
	case line := <-one.lines:
		t.Errorf("the page of one participant got an event of another: %q, want none", line)
	default:
	}
	for range 50 { // a burst causes one event, or two around the pause
		g.keep(p, newReport(t, agentID, "A1B-2C3", g.clock(), passage()))
	}
	one.want("event: change", "data: {}")
	all.want("event: change", "data: {}")
	g.live.Publish(live.Event{Kind: live.Resync})
	one.want("event: change", "data: {}")
	g.live.Close()
	for open := true; open; {
		_, open = all.next()
	}
}

// TestListsGetNoConnectionEvents: lists are not notified of connections, because thousands of agents
// connect after a restart.
func TestListsGetNoConnectionEvents(t *testing.T) {
	g := newRig(t, longBeat).login()
	p, _ := g.person("Anna", "")
	s := g.serve()
	all, one := g.listen(s, "/events"), g.listen(s, "/events?participant="+p.ID)
	all.want("retry: 3000")
	one.want("retry: 3000")
	for _, kind := range []live.Kind{live.AgentPresence, live.RetestChanged} {
		for range 1000 {
			g.live.Publish(live.Event{Kind: kind, ParticipantID: "another"})
		}
		g.live.Publish(live.Event{Kind: kind, ParticipantID: p.ID})
		one.want("event: retest", "data: {}")
	}
	select {
	case line := <-all.lines:
		t.Errorf("the list got %q, want nothing", line)
	default:
	}
	g.live.Publish(live.Event{Kind: live.ReportStored, ParticipantID: p.ID})
	all.want("event: change", "data: {}")
}

func TestStreamShowsThatItIsAlive(t *testing.T) {
	g := newRig(t, func(c *web.Config) { c.Heartbeat = 10 * time.Millisecond }).login()
	l := g.listen(g.serve(), "/events")
	l.want("retry: 3000", ": still here", ": still here")
}

func TestStreamEndsWithItsSession(t *testing.T) {
	g := newRig(t, func(c *web.Config) { c.Heartbeat = 10 * time.Millisecond }).login()
	l := g.listen(g.serve(), "/events")
	l.want("retry: 3000")
	g.post("/logout")
	for beats := 0; ; beats++ {
		line, open := l.next()
		if !open || beats > 500 {
			t.Fatal("the stream ended without an event, or not at all")
		}
		if line == "event: signed-out" {
			break
		}
	}
	l.want("data: {}")
	if line, open := l.next(); open {
		t.Errorf("the stream continues: got %q, want its end", line)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	g := newRig(t, longBeat).login()
	s := g.serve()
	var open []*listening
	for range 16 {
		l := g.listen(s, "/events")
		l.want("retry: 3000")
		open = append(open, l)
	}
	if l := g.listen(s, "/events"); l.resp.StatusCode != http.StatusTooManyRequests || l.resp.Header.Get("Retry-After") == "" {
		t.Errorf("one more: got status %d, want 429 with Retry-After", l.resp.StatusCode)
	}
	_ = open[0].resp.Body.Close()
	for deadline := time.Now().Add(patience); ; {
		l := g.listen(s, "/events")
		if l.resp.StatusCode == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the stream of a closed page does not end")
		}
	}
	if n := g.live.Subscribers(); n > 16 {
		t.Errorf("got %d subscribers, want at most 16", n)
	}
}

func TestStreamHasThePolicyToo(t *testing.T) {
	g := newRig(t, longBeat).login()
	l := g.listen(g.serve(), "/events")
	if got := l.resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'") {
		t.Errorf("got policy %q; want it to begin with %q", got, "default-src 'none'")
	}
}
