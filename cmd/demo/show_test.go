package main

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	agentcollector "github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/server"
	"github.com/tonprobe/tonprobe/server/web/browser"
)

// printed returns the output of a function that prints addresses, in English.
func printed(t *testing.T, show func(o options) error) string {
	t.Helper()
	texts, err := loadTexts(phrase.EN)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := show(options{texts: texts, stdout: &out}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// visit sends a request as a browser that keeps cookies and follows redirects, and returns the status.
func visit(t *testing.T, b *http.Client, method, address string, form url.Values) (status int, path string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	r, err := b.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode, r.Request.URL.Path
}

func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// TestDashboardAddress signs in with the printed link, which works once, and with the printed password in
// another browser.
func TestDashboardAddress(t *testing.T) {
	c, _ := startPair(t, server.Config{})
	text := printed(t, func(o options) error { return printDashboard(t.Context(), o, c) })
	found := regexp.MustCompile(`(?s)(http://\S+)\n.*name (\S+), password (\S+)`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no link, name and password in\n%s", text)
	}
	if status, path := visit(t, newBrowser(t), http.MethodGet, found[1], nil); status != http.StatusOK || path != "/" {
		t.Errorf("the link: got status %d at %s, want the list", status, path)
	}
	other := newBrowser(t)
	if status, _ := visit(t, other, http.MethodGet, found[1], nil); status == http.StatusOK {
		t.Error("the link works twice")
	}
	signIn := url.Values{"name": {found[2]}, "password": {found[3]}}
	if status, path := visit(t, other, http.MethodPost, c.server.URL()+"/login", signIn); status != http.StatusOK || path != "/" {
		t.Errorf("the password: got status %d at %s, want the list", status, path)
	}
}

// get returns a page.
func get(t *testing.T, address string) string {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %s, error %v", address, r.Status, err)
	}
	return string(b)
}

// TestBrowserCheckAddress enrols a browser with the printed code. A demo without the browser check says
// how to build it.
func TestBrowserCheckAddress(t *testing.T) {
	c, a := startPair(t, server.Config{})
	text := printed(t, func(o options) error { return printBrowserCheck(t.Context(), o, c) })
	if _, built, err := browser.Load(); err != nil {
		t.Fatal(err)
	} else if !built {
		if !strings.Contains(text, "go generate ./server/web/browser") || strings.Contains(text, "http") {
			t.Errorf("got %q, want only the command that builds the browser check", text)
		}
		return
	}
	address, code, ok := strings.Cut(regexp.MustCompile(`http://\S+`).FindString(text), "#")
	if !ok {
		t.Fatalf("no address with a code in\n%s", text)
	}
	if page := get(t, address); !strings.Contains(page, "check.js") {
		t.Errorf("%s: got %s, want the page of the check", address, page)
	}
	me := identity.Identity{AgentID: uuid.NewString(), CreatedAt: time.Now()}
	got, err := enroll.Run(t.Context(), &agentcollector.Endpoint{URL: c.server.URL()}, code, me, version, time.Now())
	if err != nil {
		t.Fatalf("enrol with the printed code: %v", err)
	}
	if got.AgentID == a.id {
		t.Error("the browser would be the computer of the first participant")
	}
}

// TestEndedAtTheStart: whoever presses Ctrl-C at once reads that the demo has ended, and no error.
func TestEndedAtTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	text := printed(t, func(o options) error {
		if status := perform(ctx, o); status != exitFailed {
			t.Errorf("got status %d, want %d, because there is no result", status, exitFailed)
		}
		return nil
	})
	if strings.Count(text, "Stopped.") != 1 {
		t.Errorf("got %q, want it to say once that the demo has ended", text)
	}
}
