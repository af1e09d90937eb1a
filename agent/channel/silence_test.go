package channel

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// TestALostPollIsNoticed: a poll whose line is lost silently, after beats of the collector have arrived,
// fails well within a minute, however long its wait is.
func TestALostPollIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := false
		server := func(conn net.Conn) {
			r := make([]byte, 4096)
			if _, err := conn.Read(r); err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n ")
			for range 3 {
				time.Sleep(wire.BeatEvery)
				if _, err := io.WriteString(conn, " "); err != nil {
					return
				}
			}
			if lost {
				return // neither data nor an end of the connection arrives
			}
			time.Sleep(wire.BeatEvery)
			_ = json.NewEncoder(conn).Encode(wire.PollMessages{Messages: []json.RawMessage{}})
			_ = conn.Close()
		}
		ctx := collector.WithDialer(t.Context(), func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go server(theirs)
			return ours, nil
		})
		e := &collector.Endpoint{URL: "http://127.0.0.1", Token: "t", ResponseTime: time.Hour}
		c := New(Config{Retests: &RetestHandler{Log: slog.New(slog.DiscardHandler)}, Clock: &quickClock{}, Log: slog.New(slog.DiscardHandler)})
		client := e.Client()
		defer client.CloseIdleConnections()
		began := time.Now()
		got, beaten, err := c.pollOnce(ctx, e, client, wire.MaxBeatenWait, &budget{})
		if err != nil || got != ignored || !beaten || time.Since(began) != 4*wire.BeatEvery {
			t.Errorf("got %v, beaten %t, error %v after %v; want %v, true, none after %v", got, beaten, err, time.Since(began), ignored, 4*wire.BeatEvery)
		}
		lost, began = true, time.Now()
		_, _, err = c.pollOnce(ctx, e, client, wire.MaxBeatenWait, &budget{})
		if after := time.Since(began) - 3*wire.BeatEvery; !errors.Is(err, errLineLost) || after > 55*time.Second || after < wire.BeatEvery {
			t.Errorf("got %v, %v after the last beat, want %v within 55 s", err, after, errLineLost)
		}
	})
}

// TestBeatsAreMostlyNotAnswered: a beat costs half of a ping, and a ping now and then also notices a
// line that was lost beyond a proxy.
func TestBeatsAreMostlyNotAnswered(t *testing.T) {
	beats := 24 * time.Hour / wire.BeatEvery
	pings := beats / beatsPerPing
	// IPv4 and TCP with time stamps 52 bytes, TLS 22, the frame of a client 6; an acknowledgement 52.
	perDay := int(beats-pings)*(52+22+6+len(wire.Beat)+52) + int(pings)*212
	if perDay > 335_000 {
		t.Errorf("got %d bytes a day for an idle channel, want at most 335,000", perDay)
	}
}
