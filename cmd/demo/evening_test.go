package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/cmd/demo/evening"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// fastClock is ahead of the system's clock by the sum of all waits.
type fastClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *fastClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *fastClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += max(0, d)
	return ctx.Err()
}

// watched passes output to another writer and reports each line.
type watched struct{ lines chan string }

func (w watched) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		w.lines <- strings.TrimSpace(line)
	}
	return len(b), nil
}

// TestEvening holds the evening with a fast clock, and requests the dashboard as phone support does:
// the common cause is shown, and the roll call contains all members.
func TestEvening(t *testing.T) {
	texts, err := loadTexts(phrase.EN)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w, clock, ended := watched{make(chan string, 1000)}, &fastClock{}, make(chan error, 1)
	began := clock.Now()
	go func() {
		ended <- showEvening(ctx, options{evening: true, texts: texts, stdout: w}, t.TempDir(), clock)
	}()
	var link, muted string
	for complete := false; !complete; {
		select {
		case line := <-w.lines:
			if strings.HasPrefix(line, "http://") {
				link = line
			}
			if _, code, ok := strings.Cut(line, "  case "); ok && strings.HasSuffix(line, "the microphone is muted") {
				muted, _, _ = strings.Cut(code, ",") // the last of four, who does not check again
			}
			complete = strings.HasPrefix(line, "The evening is complete")
		case err := <-ended:
			t.Fatalf("the evening ended early: %v", err)
		}
	}
	if took := clock.Now().Sub(began); took < evening.Length*9/10 {
		t.Errorf("the checks arrived within %v, want about %v", took, evening.Length)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	desk := &http.Client{Jar: jar}
	get := func(address string) string {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Accept-Language", "en")
		resp, err := desk.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %s, error %v", address, resp.Status, err)
		}
		return string(b)
	}
	get(link)
	base, _, _ := strings.Cut(strings.TrimPrefix(link, "http://"), "/")
	base = "http://" + base
	// The collector looks for common causes every five seconds.
	list := get(base + "/")
	for deadline := t.Context(); !strings.Contains(list, evening.DisturbedProvider); list = get(base + "/") {
		if deadline.Err() != nil {
			t.Fatal("the common cause is not shown")
		}
		time.Sleep(100 * time.Millisecond)
	}
	contains(t, "the list", list, "6 of 8")
	address := regexp.MustCompile(`/sessions/[0-9a-f-]{36}`).FindString(get(base + "/sessions"))
	roll := get(base + address)
	for _, p := range evening.People() {
		if !strings.Contains(roll, p.Name) || !strings.Contains(roll, p.Phone) {
			t.Errorf("%s is missing in the roll call", p.Name)
		}
	}
	for state, n := range map[string]int{"Not ready": 9, "Limited or unclear": 1, "Ready": 47, "Never checked": 3} {
		contains(t, "the roll call", roll, fmt.Sprintf("%s</span> <strong>%d</strong>", state, n))
	}
	// A retest: the person agrees, and has switched the microphone on.
	form := regexp.MustCompile(`/participants/[0-9a-f-]{36}/computers/[0-9a-f-]{36}/retest`)
	var action string
	deadline := time.Now().Add(time.Minute)
	for action == "" { // until the computer's channel is open
		if time.Now().After(deadline) {
			t.Fatal("no retest is offered")
		}
		action = form.FindString(get(base + "/?q=" + muted))
		time.Sleep(20 * time.Millisecond)
	}
	resp, err := desk.PostForm(base+action, url.Values{"what": {"full"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the request for a retest: status %s", resp.Status)
	}
	deadline = time.Now().Add(time.Minute)
	for roll = ""; !strings.Contains(roll, "Not ready</span> <strong>8</strong>"); roll = get(base + address) {
		if time.Now().After(deadline) {
			t.Fatalf("the retest did not change the roll call:\n%s", roll)
		}
		time.Sleep(100 * time.Millisecond)
	}
	contains(t, "the roll call after the retest", roll, "Ready</span> <strong>48</strong>")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestEveningMakesNoCheck(t *testing.T) {
	for _, option := range []string{"--json=-", "--no-audio", "--speak-seconds=3"} {
		status, _, stderr := demo(t, "--evening", option)
		if status != exitUsage || !strings.Contains(stderr, "leave out") {
			t.Errorf("%s: got status %d, %q; want %d", option, status, stderr, exitUsage)
		}
	}
}
