// Package channel keeps the agent's connection to its collector, over which phone support can
// request a retest: a WebSocket, or long polling where WebSockets are blocked.
package channel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Errors of a connection. All of them are temporary; they determine how long Run waits
// before the next attempt.
var (
	// ErrEnrolAgain means that the collector does not know this agent.
	ErrEnrolAgain = errors.New("the collector does not accept this agent")
	// ErrBlocked means that phone support has blocked the participant.
	ErrBlocked = errors.New("the participant is blocked")
	// ErrUnsupported means that the collector is an older version without a channel.
	ErrUnsupported = errors.New("the collector has no channel")
	// ErrNoWebSocket means that no WebSocket can be established, although the collector may be
	// reachable.
	ErrNoWebSocket = errors.New("no WebSocket to the collector")
	// ErrInvalidResponse means that the response is not what a collector sends.
	ErrInvalidResponse = errors.New("the response is not from a collector")
	// ErrClosed means that the collector has closed the connection because of an invalid or
	// oversized message, or of too many messages.
	ErrClosed = errors.New("closed by the collector")
	// ErrFlood means that the collector has sent too many messages.
	ErrFlood = errors.New("too many messages from the collector")
)

// errPresenceChanged means that a connection has ended because the collector must learn whether a
// person can be asked.
var errPresenceChanged = errors.New("a person's program has been opened or closed")

// Waits before the next attempt.
const (
	// presencePause limits how often programs that open and close cause a new connection.
	presencePause = 500 * time.Millisecond
	// blockedWait is short, so that an agent that is unblocked during a call reconnects before the
	// call ends.
	blockedWait = time.Minute
	// unknownWait applies to conditions that do not resolve themselves: no enrolment, an older
	// collector, or a connection closed because of its messages, by either end.
	unknownWait = 15 * time.Minute
	// enrolmentEvery is how often the client looks for an enrolment during unknownWait: a
	// person who has just enrolled may be on the phone.
	enrolmentEvery = 10 * time.Second
	// steadyAfter is how long a connection must last to count as a success.
	steadyAfter = 30 * time.Second
	// pollFor is how long the client polls before it tries a WebSocket again.
	pollFor = 30 * time.Minute
)

// Config configures New.
type Config struct {
	// Endpoint returns the collector. It is called before each connection, so that an enrolment
	// takes effect. An error, such as that there is no enrolment, is temporary.
	Endpoint func() (*collector.Endpoint, error)
	Version  string
	// Instance distinguishes copies of the data folder; "" if it is unknown.
	Instance string
	// Process distinguishes the processes of one instance.
	Process string
	Retests *RetestHandler
	// Sessions is called when the sessions of the participant may have changed: with the longest
	// time to wait before requesting them, or 0 after a connection was established. It does not
	// block; nil means that something else requests them.
	Sessions func(within time.Duration)
	Clock    probe.Clock
	// Random returns numbers in [0, 1).
	Random func() float64
	Log    *slog.Logger
}

// Client is the agent's end of the channel.
type Client struct {
	Config
	out        *outbox
	lastLogged string // the last logged problem
	// pollUntil is when a WebSocket is tried again; zero while there is no reason to poll.
	pollUntil time.Time
	polls     pollPace
	beats     beatPace
	// present states whether a person can be asked, as reported to the collector by the
	// current connection; presenceChanged is closed when that changes.
	present         bool
	presenceChanged <-chan struct{}
	// refused is the endpoint of the last attempt; nil if there was none.
	refused *collector.Endpoint
	// agent is the context of Run. A retest is bound to it and not to a connection, so that it
	// survives a reconnect.
	agent context.Context
}

// New returns a Client.
func New(c Config) *Client {
	out := newOutbox()
	c.Retests.out = out
	return &Client{Config: c, out: out, polls: newPollPace(), beats: beatPace{every: wire.BeatEvery}}
}

// Run keeps the connection until ctx is done. It waits for a running retest to end.
func (c *Client) Run(ctx context.Context) error {
	c.agent = ctx
	defer c.Retests.work.Wait()
	for failures := 0; ; failures++ {
		c.present, c.presenceChanged = c.Retests.present()
		began := c.Clock.Now()
		err := c.connect(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if c.Clock.Now().Sub(began) >= steadyAfter {
			failures = 0
		}
		if errors.Is(err, ErrNoWebSocket) && c.pollUntil.IsZero() {
			c.pollUntil = c.Clock.Now().Add(pollFor)
			continue // without a wait: polling is part of the same attempt
		}
		if errors.Is(err, errPresenceChanged) {
			failures = -1
			if c.Clock.Sleep(ctx, presencePause) != nil {
				return context.Cause(ctx)
			}
			continue
		}
		c.logProblem(err)
		wait := c.wait(err, failures)
		if errors.Is(err, ErrEnrolAgain) {
			err = c.awaitEnrolment(ctx, wait)
		} else {
			err = c.Clock.Sleep(ctx, wait)
		}
		if err != nil {
			return context.Cause(ctx)
		}
	}
}

// connect uses one connection until it ends.
func (c *Client) connect(ctx context.Context) error {
	c.refused = nil
	e, err := c.Endpoint()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEnrolAgain, err)
	}
	c.refused = e
	if !e.Enrolled() {
		return fmt.Errorf("%w: not enrolled", ErrEnrolAgain)
	}
	if c.Clock.Now().Before(c.pollUntil) {
		err := c.poll(ctx, e)
		if err != nil && !errors.Is(err, errPresenceChanged) {
			c.pollUntil = time.Time{} // both transports are tried again
		}
		return err
	}
	c.pollUntil = time.Time{}
	return c.socket(ctx, e)
}

// awaitEnrolment waits until the enrolment differs from the one that was refused, at most
// for the given time.
func (c *Client) awaitEnrolment(ctx context.Context, wait time.Duration) error {
	for wait > 0 {
		next := min(wait, enrolmentEvery)
		if err := c.Clock.Sleep(ctx, next); err != nil {
			return err
		}
		wait -= next
		e, err := c.Endpoint()
		if err == nil && e.Enrolled() && (c.refused == nil || !c.refused.SameAccess(e)) {
			return nil
		}
	}
	return nil
}

// wait returns the delay before the next attempt.
func (c *Client) wait(err error, failures int) time.Duration {
	jittered := func(d time.Duration) time.Duration { return d/2 + time.Duration(c.Random()*float64(d)/2) }
	switch {
	case errors.Is(err, ErrBlocked):
		return jittered(blockedWait)
	case errors.Is(err, ErrEnrolAgain), errors.Is(err, ErrUnsupported), errors.Is(err, ErrClosed), errors.Is(err, ErrFlood):
		return jittered(unknownWait)
	}
	var after time.Duration
	if e, ok := errors.AsType[*collector.APIError](err); ok {
		after = e.RetryAfter
	}
	return collector.Backoff(failures, c.Random(), after)
}

// apply applies a message of the collector and returns its effect.
func (c *Client) apply(m wire.ChannelMessage, e *collector.Endpoint, now time.Time) effect {
	switch m.Type {
	case wire.MessageToken:
		renew(e)
		return news
	case wire.MessageSessions:
		if c.Sessions != nil {
			c.Sessions(max(time.Second, time.Duration(m.WithinS)*time.Second))
		}
		return news
	}
	return c.Retests.handle(c.agent, m, now)
}

// logProblem logs a problem when it begins or changes.
func (c *Client) logProblem(err error) {
	text := report.ErrorText(err)
	if text == c.lastLogged {
		return
	}
	c.lastLogged = text
	c.Log.Info("no connection to the collector", "err", err)
}

func (c *Client) connected(how string) {
	c.lastLogged = ""
	if c.Sessions != nil { // messages may have been missed
		c.Sessions(0)
	}
	c.Log.Info("connected to the collector", "by", how)
}

// refusal classifies a response other than a success. Only the collector's own refusals count:
// captive portals and proxies use the same statuses.
func refusal(resp *http.Response, now time.Time) error {
	e := collector.ReadError(resp, now)
	switch {
	case e.Code == "":
		return fmt.Errorf("%w: %w", ErrInvalidResponse, e)
	case e.Code == "participant_blocked":
		return fmt.Errorf("%w: %w", ErrBlocked, e)
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return fmt.Errorf("%w: %w", ErrEnrolAgain, e)
	case e.Status == http.StatusNotFound:
		return fmt.Errorf("%w: %w", ErrUnsupported, e)
	}
	return e
}

// unreachable reports whether an error says nothing about WebSockets, because not even a trusted
// connection was established.
func unreachable(err error) bool {
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "dial" || e.Op == "proxyconnect") {
		return true
	}
	_, noName := errors.AsType[*net.DNSError](err)
	return noName || collector.AtProxy(err) || collector.Untrusted(err)
}

// clock derives the collector's time from the time in one of its responses and the local time at
// which that response arrived.
type clock struct{ theirs, ours time.Time }

// clockOf returns this computer's clock if the response has no time.
func clockOf(resp *http.Response, now time.Time) clock {
	ms, err := strconv.ParseInt(resp.Header.Get(wire.HeaderTimeMS), 10, 64)
	if err != nil || ms <= 0 || ms >= 1<<43 {
		return clock{now, now}
	}
	return clock{time.UnixMilli(ms), now}
}

func (c clock) at(now time.Time) time.Time { return c.theirs.Add(now.Sub(c.ours)) }
