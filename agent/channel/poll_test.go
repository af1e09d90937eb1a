package channel

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

func TestPollingWhereWebSocketsAreBlocked(t *testing.T) {
	f := newFakeCollector(t)
	f.strip = true
	r := request1("a", wire.RetestNetwork, time.Minute)
	polled := make(chan string, 100)
	f.news = func(known string) *wire.ChannelMessage {
		polled <- known
		if known == "" && len(polled) == 1 {
			return &r
		}
		return nil
	}
	release := make(chan struct{})
	f.start(&RetestHandler{AllowsNetwork: func() bool { return true }, Network: func(ctx context.Context, tell func(probe.Event)) (string, error) {
		<-release
		return network(ctx, tell)
	}}, probe.SystemClock{})
	f.wantNext(wire.MessageConsent, "a")
	if first, second := <-polled, <-polled; first != "" || second != "a" {
		t.Errorf("got polls with %q and %q, want \"\" and \"a\"", first, second)
	}
	close(release)
	f.wantNext(wire.MessageProgress, "a")
	f.wantNext(wire.MessageProgress, "a")
	f.wantNext(wire.MessageDone, "a")
}

// pollingClient returns a client for a single call of pollAgain.
func pollingClient(t *testing.T, handler http.HandlerFunc) (*Client, *collector.Endpoint) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	c := New(Config{Retests: &RetestHandler{Log: slog.New(slog.DiscardHandler)}, Clock: &quickClock{}, Log: slog.New(slog.DiscardHandler)})
	c.agent = t.Context()
	c.pollUntil = time.Now().Add(time.Hour)
	return c, &collector.Endpoint{URL: s.URL, Token: "t"}
}

// TestRequestIsRepeatedUntilItsAnswerArrives: a quick refusal may be in flight while the
// next poll begins.
func TestRequestIsRepeatedUntilItsAnswerArrives(t *testing.T) {
	f := newFakeCollector(t)
	r := request1("a", wire.RetestFull, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f.news = func(string) *wire.ChannelMessage {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.polls <= maxRepeats {
			return &r
		}
		cancel()
		return nil
	}
	c, e := pollingClient(t, f.poll)
	if err := c.pollAgain(ctx, e, e.Client()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	c.Retests.work.Wait()
	if sent := c.out.take(10); len(sent) != 1 || sent[0].Why != wire.WhyNoPerson {
		t.Errorf("got %+v, want one answer with why %s", sent, wire.WhyNoPerson)
	}

	// The number of repetitions is limited.
	f = newFakeCollector(t)
	f.news = func(string) *wire.ChannelMessage { return &r }
	c, e = pollingClient(t, f.poll)
	err := c.pollAgain(t.Context(), e, e.Client())
	f.mu.Lock()
	defer f.mu.Unlock()
	if !errors.Is(err, ErrInvalidResponse) || f.polls != maxRepeats+2 {
		t.Errorf("got %v after %d polls, want %v after %d", err, f.polls, ErrInvalidResponse, maxRepeats+2)
	}
	c.Retests.work.Wait()
}
