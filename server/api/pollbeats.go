package api

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// pollBeats sends spaces before the response of a poll, which JSON permits, so that both ends notice
// a lost line: the agent by their absence, the collector because they are not acknowledged.
type pollBeats struct {
	w      http.ResponseWriter
	due    <-chan time.Time // nil if the agent does not want them
	ticker *time.Ticker
	sent   bool
}

// newPollBeats returns the beats of a poll. The first one is due at once: it shows the agent that they
// pass the proxies on the path.
func newPollBeats(w http.ResponseWriter, r *http.Request) *pollBeats {
	b := &pollBeats{w: w, ticker: time.NewTicker(wire.BeatEvery)}
	if r.URL.Query().Get(wire.ParamBeat) == "1" {
		now := make(chan time.Time, 1)
		now <- time.Time{}
		b.due = now
	}
	return b
}

func (b *pollBeats) stop() { b.ticker.Stop() }

// answer ends the poll.
func (b *pollBeats) answer(v wire.PollMessages) error {
	_ = http.NewResponseController(b.w).SetWriteDeadline(time.Now().Add(sendTime))
	if !b.sent {
		writeJSON(b.w, http.StatusOK, v)
		return nil
	}
	body, err := json.Marshal(v)
	if err == nil {
		_, _ = b.w.Write(body) // an error means that the agent is gone
	}
	return err
}

// send sends one. An error means that the agent is gone.
func (b *pollBeats) send() error {
	control := http.NewResponseController(b.w)
	if !b.sent {
		b.sent, b.due = true, b.ticker.C
		describeJSON(b.w)
		b.w.Header().Set("X-Accel-Buffering", "no") // nginx would collect them
	}
	_ = control.SetWriteDeadline(time.Now().Add(sendTime))
	if _, err := io.WriteString(b.w, " "); err != nil {
		return err
	}
	if err := control.Flush(); err != nil {
		return err
	}
	_ = control.SetWriteDeadline(time.Time{})
	return nil
}
