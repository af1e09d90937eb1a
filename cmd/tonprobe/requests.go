package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/agent/channel"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui"
)

// requests forwards phone support's requests to the screens. It implements channel.Screen.
type requests struct {
	station *station.Station
	shown   chan tui.Request
	log     *slog.Logger
}

func newRequests(st *station.Station, log *slog.Logger) *requests {
	return &requests{station: st, shown: make(chan tui.Request), log: log}
}

// maxPendingEvents limits the events of a check that wait to be sent. If it is exceeded,
// later ones are dropped; new levels follow soon anyway.
const maxPendingEvents = 256

// Ask implements channel.Screen.
func (q *requests) Ask(ctx context.Context, r channel.Retest) (channel.Consent, error) {
	over := make(chan struct{})
	end := sync.OnceFunc(func() { close(over) })
	answers := make(chan tui.Answer, 1)
	events := make(chan probe.Event, maxPendingEvents)
	finished := make(chan *report.Report, 1)
	shown := tui.Request{
		By: r.By, Audio: r.What == wire.RetestFull, Over: over,
		Agreed: r.Agreed,
		Answer: func(a tui.Answer) { answers <- a },
		Tell: func(e probe.Event) {
			select {
			case events <- e:
			default:
			}
		},
		Finish: func(r *report.Report) { finished <- r },
	}
	stop := context.AfterFunc(ctx, end)
	select {
	case q.shown <- shown:
	case <-ctx.Done(): // the screens are occupied or gone
		return channel.Consent{}, ctx.Err()
	}
	var answer tui.Answer
	select {
	case answer = <-answers:
	case <-ctx.Done():
		end() // before the next request is shown
		select {
		case answer = <-answers: // given as the program ended
		default:
			return channel.Consent{}, ctx.Err()
		}
	}
	// From now on, the time limit for the answer does not apply.
	if !stop() && answer != tui.AnswerNo {
		return channel.Consent{}, ctx.Err()
	}
	switch answer {
	case tui.AnswerBusy:
		return channel.Consent{}, channel.ErrBusy
	case tui.AnswerNo:
		return channel.Consent{}, nil
	}
	return channel.Consent{Given: true, Always: answer == tui.AnswerAlways, Run: func(ctx context.Context, tell func(probe.Event)) (string, error) {
		stop := context.AfterFunc(ctx, end)
		defer stop()
		for {
			select {
			case e := <-events:
				tell(e)
			case r := <-finished:
				for len(events) > 0 {
					tell(<-events)
				}
				if r == nil {
					return "", channel.ErrEnded
				}
				return r.ID, nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	}}, nil
}

// endTime limits the wait for the last message when the program ends.
const endTime = time.Second

// follow keeps the connection to the collector while the screens are open. The returned function
// ends it after the last message has been sent.
func (q *requests) follow(ctx context.Context, version string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = q.station.Follow(ctx, version, q) // ends with ctx
	}()
	return func() {
		cancel()
		select {
		case <-done:
		case <-time.After(endTime): // a dead line
		}
	}
}
