//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// realCollector is the real collector, built from this tree and run as a process.
type realCollector struct {
	binary, data, url string
}

func startCollector(t *testing.T) realCollector {
	t.Helper()
	return startCollectorWith(t, t.Output())
}

// startCollectorWith starts the collector with additional options, and writes its
// log to log.
func startCollectorWith(t *testing.T, log io.Writer, options ...string) realCollector {
	t.Helper()
	need.Full(t, "a collector")
	dir := t.TempDir()
	c := realCollector{binary: filepath.Join(dir, "tonprobe-collector"), data: filepath.Join(dir, "data")}
	if out, err := exec.Command("go", "build", "-o", c.binary, "../tonprobe-collector").CombinedOutput(); err != nil {
		t.Fatalf("build the collector: %v\n%s", err, out)
	}
	line, _ := serve(t, c.binary, c.data, log, "is ready: ", append([]string{"--behind-proxy"}, options...)...)
	_, c.url, _ = strings.Cut(line, "is ready: ")
	return c
}

// serve runs the collector until the end of the test, or until it is killed. It returns
// the line of its output that contains ready.
func serve(t *testing.T, binary, data string, log io.Writer, ready string, options ...string) (line string, kill func()) {
	t.Helper()
	p := exec.Command(binary, append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0",
		"--stun-listen", "127.0.0.1:0", "--media-listen", "127.0.0.1:0"}, options...)...)
	p.Stderr = log
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { _ = p.Process.Kill(); _ = p.Wait() }
	t.Cleanup(kill)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), ready) {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return lines.Text(), kill
		}
	}
	t.Fatalf("the collector did not print %q", ready)
	return "", nil
}

// invite returns a one-time code.
func (c realCollector) invite(t *testing.T) string {
	t.Helper()
	out, err := exec.Command(c.binary, "participant", "add", "Anna Beispiel", "--json", "--data", c.data).Output()
	if err != nil {
		t.Fatal(err)
	}
	var invited struct{ Code string }
	if err := json.Unmarshal(out, &invited); err != nil {
		t.Fatal(err)
	}
	return invited.Code
}

// line is a proxy between agent and collector that can drop the response to
// reports.
type line struct {
	*httptest.Server
	mu        sync.Mutex
	swallow   bool
	swallowed chan struct{}
	results   map[string][]string // the collector's statuses by report id
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{swallowed: make(chan struct{}, 8), results: map[string][]string{}}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = l.answer
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	l.Server = httptest.NewServer(proxy)
	t.Cleanup(l.Close)
	return l
}

func (l *line) setSwallow(v bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.swallow = v
}

func (l *line) answer(r *http.Response) error {
	if r.Request.URL.Path != "/api/v1/reports" {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var a struct{ Results []struct{ ID, Status string } }
	if err := json.Unmarshal(body, &a); err != nil {
		return err
	}
	l.mu.Lock()
	for _, x := range a.Results {
		l.results[x.ID] = append(l.results[x.ID], x.Status)
	}
	swallow := l.swallow
	l.mu.Unlock()
	if swallow {
		l.swallowed <- struct{}{}
		<-r.Request.Context().Done() // until the agent is killed
	}
	return nil
}

func TestAgainstTheRealCollector(t *testing.T) {
	c := startCollector(t)
	l := newLine(t, c.url)
	a := agent{t, filepath.Join(t.TempDir(), "data")}

	code := c.invite(t)
	a.run("enroll", strings.ToLower(code), "--server", l.URL)
	a.run("enroll", code, "--server", l.URL) // as if the first answer had been lost
	other := agent{t, filepath.Join(t.TempDir(), "data")}
	if out, err := other.command("enroll", code, "--server", l.URL).CombinedOutput(); err == nil || !strings.Contains(string(out), "already used") {
		t.Errorf("a used code on another computer: got %v, %s; want an error with %q", err, out, "already used")
	}

	var whole int // checks
	t.Run("a whole check is measured and delivered", func(t *testing.T) {
		var r *report.Report
		r, _, _, whole = agent{t, a.data}.checkUnlessBusy("--no-audio")
		voice := report.Find[report.MediaVoice](r)
		if r.Verdict != report.Ready || voice == nil || voice.State != report.MediaComplete {
			t.Errorf("got verdict %s, causes %+v, voice %+v; want %s, non-nil, State %v", r.Verdict, r.Causes, voice, report.Ready, report.MediaComplete)
		}
		t.Logf("first verdict after %d ms, end after %d ms", r.FirstVerdictMS, r.DurationMS)
		if got := a.states(); got["sent"] != whole || len(got) != 1 {
			t.Errorf("got %v on disk, want only sent: %d", got, whole)
		}
	})

	t.Run("killed between spool and answer", func(t *testing.T) {
		l.setSwallow(true)
		p := a.command("check", "--no-audio", "--only", "network.web")
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		<-l.swallowed
		if err := p.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = p.Wait()
		if got := a.states(); got["waiting"] != 1 || got["sent"] != whole {
			t.Errorf("after the kill: got %v, want waiting: 1, sent: %d", got, whole)
		}
		l.setSwallow(false)
		a.run("check", "--no-audio", "--only", "network.web")
		if got := a.states(); got["sent"] != whole+2 || len(got) != 1 {
			t.Errorf("at the end: got %v, want only sent: %d", got, whole+2)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		stored, duplicates := 0, 0
		for id, answers := range l.results {
			for _, s := range answers {
				switch s {
				case "stored":
					stored++
				case "duplicate":
					duplicates++
				default:
					t.Errorf("%s: %s", id, s)
				}
			}
		}
		if stored != whole+2 || duplicates != 1 {
			t.Errorf("the collector stored %d and received %d again, want %d and 1", stored, duplicates, whole+2)
		}
	})
}
