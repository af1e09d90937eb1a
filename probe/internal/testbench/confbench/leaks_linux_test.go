package confbench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/bbbrig"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// envChecks names the variable with the number of checks of TestLeaks; the default suits
// a daily run.
const (
	envChecks     = "TONPROBE_BENCH_CHECKS"
	defaultChecks = 64
	atOnce        = 16
)

// kind is one kind of check against a server that works, is broken or hostile.
type kind struct {
	name  string
	check func(ctx context.Context, t testing.TB) *report.Conference
	often int // of the checks in a round
}

// TestLeaks: goroutines, files, meetings and sessions do not grow with the number of
// checks, whatever the servers do.
func TestLeaks(t *testing.T) {
	need.Minutes(t, envChecks)
	checks := defaultChecks
	if text := os.Getenv(envChecks); text != "" {
		var err error
		if checks, err = strconv.Atoi(text); err != nil || checks < 1 {
			t.Fatalf("%s=%s: want a number of checks", envChecks, text)
		}
	}
	var rigs []*bbbrig.Rig
	var round []kind
	servers := kinds(t, &rigs)
	for _, k := range servers {
		for range k.often {
			round = append(round, k)
		}
	}
	run := func(n int) {
		next := make(chan kind)
		var wg sync.WaitGroup
		for range atOnce {
			wg.Go(func() {
				for k := range next {
					k.check(t.Context(), t)
				}
			})
		}
		for i := range n {
			next <- round[i%len(round)]
		}
		close(next)
		wg.Wait()
	}
	run(len(round))
	goroutines, files := settle(t)
	began := time.Now()
	run(checks)
	took := time.Since(began)
	// The remains of a call end within its timeouts.
	var g, f int
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if g, f = runtime.NumGoroutine(), openFiles(t); g <= goroutines+8 && f <= files+8 {
			break
		}
		if time.Now().After(end) {
			buf := make([]byte, 1<<16)
			t.Errorf("got %d goroutines and %d open files, before %d and %d\n%s", g, f, goroutines, files, buf[:runtime.Stack(buf, true)])
			break
		}
	}
	present, calls, sockets := 0, 0, 0
	for _, r := range rigs {
		if !r.Left(10 * time.Second) {
			t.Errorf("left behind: %+v, want nothing", r.Count())
		}
		c := r.Count()
		present, calls, sockets = present+c.Present, calls+c.Calls, sockets+c.Sockets
	}
	t.Logf("\n| checks | %d in %.0f s, %d kinds of servers |\n|---|---|\n| goroutines before and after | %d, %d |\n| open files before and after | %d, %d |\n| participants, calls and WebSockets left | %d, %d, %d |\n",
		checks, took.Seconds(), len(servers), goroutines, g, files, f, present, calls, sockets)
}

func settle(t *testing.T) (goroutines, files int) {
	for last, same := -1, 0; same < 20; time.Sleep(50 * time.Millisecond) {
		if goroutines = runtime.NumGoroutine(); goroutines == last {
			same++
		} else {
			last, same = goroutines, 0
		}
	}
	return goroutines, openFiles(t)
}

func openFiles(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// kinds starts the servers.
func kinds(t *testing.T, rigs *[]*bbbrig.Rig) (all []kind) {
	add := func(name string, often int, check func(ctx context.Context, t testing.TB) *report.Conference) {
		all = append(all, kind{name, check, often})
	}
	for name, f := range map[string]map[bbbrig.Step]bbbrig.Fault{
		"bbb": nil, "bbb ended": {bbbrig.Join: bbbrig.Ended}, "bbb huge": {bbbrig.Join: bbbrig.Huge}, "bbb state closes": {bbbrig.State: bbbrig.Closes},
		"bbb full": {bbbrig.State: bbbrig.Full}, "bbb SFU closes": {bbbrig.Signalling: bbbrig.Closes}, "bbb microphone": {bbbrig.Call: bbbrig.Refuses},
		"bbb garbage": {bbbrig.Call: bbbrig.Garbage}, "bbb call closes": {bbbrig.Call: bbbrig.Closes}, "bbb hangs up": {bbbrig.Sound: bbbrig.HangsUp},
		"bbb other key": {bbbrig.Keys: bbbrig.WrongKey}, "bbb dead path": {bbbrig.Path: bbbrig.Dead},
	} {
		often := 3
		switch name {
		case "bbb hangs up", "bbb other key", "bbb dead path":
			often = 1 // these take seconds
		}
		r := bbbrig.Start(t, bbbrig.Config{Faults: f})
		*rigs = append(*rigs, r)
		add(name, often, func(ctx context.Context, t testing.TB) *report.Conference {
			link, err := url.Parse(r.JoinLink())
			if err != nil {
				t.Error(err)
				return nil
			}
			return visitWith(ctx, t, conference.Config{Address: r.URL + "/bigbluebutton", JoinLink: link, RootCAs: r.Roots})
		})
	}
	address := localJanus(t)
	add("janus", 3, func(ctx context.Context, t testing.TB) *report.Conference {
		return visitWith(ctx, t, conference.Config{Address: address})
	})
	// A check that is stopped in the middle of the stream.
	add("janus stopped", 4, func(ctx context.Context, t testing.TB) *report.Conference {
		ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		return visitWith(ctx, t, conference.Config{Address: address})
	})
	for name, h := range hostile() {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		for _, path := range []string{"/janus", "/whip/x", "/rtc", "/bigbluebutton"} {
			add(name+" at "+path, 1, func(ctx context.Context, t testing.TB) *report.Conference {
				return visitWith(ctx, t, conference.Config{Address: s.URL + path, Token: "x"})
			})
		}
	}
	return all
}

// hostile returns servers that answer every request incorrectly.
func hostile() map[string]http.Handler {
	var n atomic.Int64
	return map[string]http.Handler{
		"500":  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
		"page": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<!doctype html><p>Wartung") }),
		"loop": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }),
		"other": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://192.0.2.1/", http.StatusFound)
		}),
		"endless": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<15)); err != nil {
					return
				}
			}
		}),
		"stops": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"janus":"server_info"`)
		}),
		"nonsense": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/sdp")
			w.Header().Set("Location", fmt.Sprintf("/whip/%d", n.Add(1)))
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"janus":"success","data":{"id":1}}`)
		}),
	}
}

// localJanus starts a real Janus on loopback and returns its address.
func localJanus(t *testing.T) string {
	t.Helper()
	if err := requireProgram("janus"); err != nil {
		t.Fatal(err)
	}
	library, _ := filepath.Glob("/usr/lib/*/janus")
	if len(library) == 0 {
		t.Fatal("the plugins of Janus are missing")
	}
	dir := t.TempDir()
	port, media := freePort(t), freePort(t)
	for name, text := range map[string]string{
		"janus.jcfg":                janusConfig(library[0], "", media, "lo"),
		"janus.transport.http.jcfg": janusHTTPConfig(port),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("janus", "-F", dir, "-o")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address := fmt.Sprintf("http://127.0.0.1:%d/janus", port)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get(address + "/info"); err == nil {
			_ = resp.Body.Close()
			return address
		}
		if time.Now().After(end) {
			t.Fatal("Janus does not respond")
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
