package browser_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server"
	"github.com/tonprobe/tonprobe/server/web/browser"
)

// patience limits the wait for a condition.
const patience = time.Minute

func waitUntil(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timeout: %s", what)
		}
	}
}

// startCollector starts a collector with the browser check. Browsers do not use loopback for media.
func startCollector(t *testing.T, change ...func(*server.Config)) *server.Server {
	t.Helper()
	if _, ok, err := browser.Load(); !ok || err != nil {
		need.Lack(t, "go generate ./server/web/browser", err)
	}
	config := server.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", STUNListen: ":0", MediaListen: ":0",
		BehindProxy:   []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, // plain HTTP
		FirstPassword: func(_, _ string) {}}
	for _, f := range change {
		f(&config)
	}
	c, err := server.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stop the collector: %v", err)
		}
	})
	return c
}

// driver drives a window of a browser.
type driver interface {
	open(t *testing.T, address string)
	click(t *testing.T, selector string) // as a person: the page may use the sound
	run(t *testing.T, body string) json.RawMessage
	size(t *testing.T, width, height int)
	picture(t *testing.T) []byte
}

// window is a window with the page of the check.
type window struct {
	driver
	t *testing.T

	mu         sync.Mutex
	complaints []string // of the browser's console
}

func (w *window) complain(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.complaints = append(w.complaints, text)
}

// value runs the body of a function in the page and returns its result.
func value[T any](w *window, body string) (v T) {
	w.t.Helper()
	raw := w.run(w.t, body)
	if err := json.Unmarshal(raw, &v); err != nil {
		w.t.Fatalf("%s: got %s: %v", body, raw, err)
	}
	return v
}

func (w *window) body() string {
	w.t.Helper()
	return value[string](w, `return document.location + "\n" + document.body.innerText`)
}

func (w *window) waitFor(condition string) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !value[bool](w, "return Boolean("+condition+")"); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("timeout: %s\npage: %s", condition, w.body())
		}
	}
}

func (w *window) text(selector string) string {
	w.t.Helper()
	return value[string](w, "return document.querySelector('"+selector+"').textContent")
}

func (w *window) shoot(name string) {
	w.t.Helper()
	dir := os.Getenv("TONPROBE_ARTIFACTS")
	if dir == "" {
		dir = w.t.TempDir()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "check-"+name+".png"), w.picture(w.t), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// check presses the button that begins, and returns the report of the page.
func (w *window) check(button string) *report.Report {
	w.t.Helper()
	w.run(w.t, `sessionStorage.clear()`)
	w.click(w.t, button)
	w.waitFor(`!document.getElementById("check-run").hidden || sessionStorage.getItem("tonprobe.last")`)
	w.waitFor(`document.getElementById("check-run").hidden`)
	document := value[string](w, `return sessionStorage.getItem("tonprobe.last") || ""`)
	r, err := report.Decode([]byte(document))
	if err != nil {
		w.t.Fatalf("the page has no report: %v\n%s", err, w.body())
	}
	return r
}

// checkUnlessBusy is check, repeated once if the result says that this computer was too busy, as the
// page advises.
func (w *window) checkUnlessBusy(button string) *report.Report {
	w.t.Helper()
	r := w.check(button)
	if v := report.Find[report.MediaVoice](r); v != nil && v.State == report.MediaSelfCheckVoid {
		w.t.Logf("the browser was too busy: sends are %v ms late (p95)", *v.SendLatenessP95MS)
		r = w.check("#check-again")
	}
	return r
}

func (w *window) quiet() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.complaints {
		w.t.Errorf("the browser reported: %s", c)
	}
}

// expect removes the complaints that the test expects, such as a 404.
func (w *window) expect(part string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.complaints = slices.DeleteFunc(w.complaints, func(c string) bool { return strings.Contains(c, part) })
}
