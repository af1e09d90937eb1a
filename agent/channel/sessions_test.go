package channel

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// TestSessionsAreAnnounced: after a connection, and by a message, over both transports.
func TestSessionsAreAnnounced(t *testing.T) {
	for _, strip := range []bool{false, true} {
		f := newFakeCollector(t)
		f.strip = strip
		m := wire.ChannelMessage{Type: wire.MessageSessions, WithinS: 30}
		f.dialogue = func(_ int, conn *websocket.Conn) {
			f.tell(conn, wire.ChannelMessage{Type: "of_the_future"})
			f.tell(conn, m)
			f.listen(conn)
		}
		polls := 0
		f.news = func(string) *wire.ChannelMessage {
			polls++
			switch polls {
			case 1:
				return &wire.ChannelMessage{Type: "of_the_future"}
			case 2:
				return &m
			}
			return nil
		}
		asked := make(chan time.Duration, 10)
		log := slog.New(slog.DiscardHandler)
		ctx, cancel := context.WithCancel(t.Context())
		c := New(Config{
			Endpoint: func() (*collector.Endpoint, error) { return &collector.Endpoint{URL: f.url, Token: "token"}, nil },
			Retests:  &RetestHandler{Log: log}, Sessions: func(within time.Duration) { asked <- within },
			Clock: probe.SystemClock{}, Random: func() float64 { return 0.5 }, Log: log,
		})
		done := make(chan struct{})
		go func() { _ = c.Run(ctx); close(done) }()
		for _, want := range []time.Duration{0, 30 * time.Second} {
			select {
			case got := <-asked:
				if got != want {
					t.Errorf("polling %t: got %v, want %v", strip, got, want)
				}
			case <-time.After(time.Minute):
				t.Fatalf("polling %t: the sessions were not announced", strip)
			}
		}
		cancel()
		<-done
	}
}
