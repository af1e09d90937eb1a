package channel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

const (
	// pollSlack is the time allowed for the response after the wait.
	pollSlack = 20 * time.Second
	// maxRepeats limits the consecutive immediate responses without new messages,
	// repeatPause apart: the collector repeats a request until its answer has arrived.
	maxRepeats  = 5
	repeatPause = time.Second
	// sendPause is how long messages, such as levels, are collected before they are sent.
	sendPause = 500 * time.Millisecond
	// maxAnswerBytes limits the response.
	maxAnswerBytes = wire.MaxPollMessages * wire.MaxChannelBytes
)

// errLineLost means that the collector's beats no longer arrive.
var errLineLost = errors.New("the line was lost")

// screenSuffix is added to the name of a process while a person can be asked.
const screenSuffix = "-s"

// poll polls until the WebSocket is to be tried again.
func (c *Client) poll(ctx context.Context, e *collector.Endpoint) error {
	patient := *e
	patient.ResponseTime = maxPollWait + pollSlack
	client := patient.Client()
	defer client.CloseIdleConnections()
	line, cancel := context.WithCancel(ctx)
	defer cancel()
	sending := make(chan error, 1)
	go func() {
		var err error
		if panicked := guard.Do(func() { err = c.sendPolled(line, e, client) }); panicked != nil {
			err = panicked
		}
		cancel()
		sending <- err
	}()
	changed := make(chan bool, 1)
	go func() {
		select {
		case <-c.presenceChanged:
			changed <- true
			cancel()
		case <-line.Done():
			changed <- false
		}
	}()
	err := c.pollAgain(line, e, client)
	cancel()
	if <-changed && ctx.Err() == nil {
		<-sending
		return errPresenceChanged
	}
	if other := <-sending; err == nil || errors.Is(err, context.Canceled) && other != nil {
		err = other
	}
	return err
}

func (c *Client) pollAgain(ctx context.Context, e *collector.Endpoint, client *http.Client) error {
	said, repeats := false, 0
	var b budget
	for c.Clock.Now().Before(c.pollUntil) {
		began := time.Now()
		wait := c.polls.next
		got, beaten, err := c.pollOnce(ctx, e, client, wait, &b)
		took := time.Since(began)
		if err != nil {
			if ctx.Err() == nil {
				c.polls.failed(took, err)
			}
			return err
		}
		if !said {
			said = true
			c.connected("polling")
		}
		switch {
		case got == news:
			repeats = 0
		case took >= min(wait/2, minPollWait): // through its own proxy, the collector waits less
			repeats = 0
			c.polls.waited(beaten)
		case got == repeated && repeats < maxRepeats:
			repeats++
			if err := c.Clock.Sleep(ctx, repeatPause); err != nil {
				return err
			}
		default:
			// The collector waits; one that responds at once would be polled in a busy
			// loop.
			return fmt.Errorf("%w: it responds without waiting", ErrInvalidResponse)
		}
	}
	c.polls = newPollPace() // the computer may be on another network meanwhile
	return nil
}

// pollOnce polls once and returns the greatest effect of the messages. beaten reports whether the
// collector's beats arrive.
func (c *Client) pollOnce(ctx context.Context, e *collector.Endpoint, client *http.Client, wait time.Duration, spend *budget) (got effect, beaten bool, err error) {
	q := c.query()
	q.Set(wire.ParamWait, strconv.Itoa(int(wait/time.Second)))
	q.Set(wire.ParamBeat, "1")
	ctx, cancel := context.WithTimeout(ctx, wait+pollSlack)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	resp, err := request(ctx, e, client, http.MethodGet, q, nil)
	if err != nil {
		return ignored, false, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return ignored, false, refusal(resp, time.Now())
	}
	theirs := clockOf(resp, time.Now())
	b, beaten, err := readBeaten(io.LimitReader(resp.Body, maxAnswerBytes+1), func() { end(errLineLost) })
	if err != nil {
		if errors.Is(context.Cause(ctx), errLineLost) {
			err = errLineLost
		}
		return ignored, beaten, fmt.Errorf("read the messages: %w", err)
	}
	var answer wire.PollMessages
	if err := json.Unmarshal(b, &answer); err != nil || answer.Messages == nil || len(answer.Messages) > wire.MaxPollMessages {
		return ignored, beaten, fmt.Errorf("%w: no messages", ErrInvalidResponse)
	}
	for _, raw := range answer.Messages {
		if err := spend.take(c.Clock.Now()); err != nil {
			return ignored, beaten, err
		}
		m, err := wire.ParseFromCollector(raw)
		if errors.Is(err, wire.ErrMessageType) {
			got = max(got, repeated) // of a newer collector
			continue
		}
		if err != nil {
			return ignored, beaten, fmt.Errorf("%w: %w", ErrInvalidResponse, err)
		}
		got = max(got, c.apply(m, e, theirs.at(time.Now())))
	}
	return got, beaten, nil
}

// readBeaten reads a response that may begin with beats. Once one has arrived, it calls lost if the next
// one, or the response, does not arrive in time.
func readBeaten(r io.Reader, lost func()) (b []byte, beaten bool, err error) {
	var overdue *time.Timer
	part := make([]byte, 4096)
	for {
		n, err := r.Read(part)
		b = append(b, part[:n]...)
		switch {
		case errors.Is(err, io.EOF):
			return b, beaten, nil
		case err != nil:
			return b, beaten, err
		case beaten:
			overdue.Reset(wire.BeatEvery + wire.BeatSlack)
		case len(bytes.TrimSpace(b)) == 0 && n > 0:
			beaten = true
			overdue = time.AfterFunc(wire.BeatEvery+wire.BeatSlack, lost)
			defer overdue.Stop()
		}
	}
}

func (c *Client) query() url.Values {
	q := url.Values{wire.ParamVersion: {c.Version}, wire.ParamInstance: {c.Instance}, wire.ParamProcess: {c.Process}}
	if c.present {
		q.Set(wire.ParamScreen, "1")
		// The collector uses the presence reported in the first poll of a process, so a
		// change of the presence needs another process name.
		q.Set(wire.ParamProcess, c.Process+screenSuffix)
	}
	if known := c.Retests.known(); known != "" {
		q.Set(wire.ParamKnown, known)
	}
	return q
}

// sendPolled sends messages until ctx is done.
func (c *Client) sendPolled(ctx context.Context, e *collector.Endpoint, client *http.Client) error {
	for {
		select {
		case <-c.out.ready:
		case <-ctx.Done():
			return c.sendRemaining(e, client)
		}
		if err := c.sendBatch(ctx, e, client); err != nil {
			return err
		}
		if c.Clock.Sleep(ctx, sendPause) != nil {
			return c.sendRemaining(e, client)
		}
	}
}

// sendRemaining sends the remaining messages when the program ends.
func (c *Client) sendRemaining(e *collector.Endpoint, client *http.Client) error {
	if c.agent.Err() == nil {
		return nil
	}
	c.Retests.work.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), lastTime)
	defer cancel()
	return c.sendBatch(ctx, e, client)
}

// lastTime limits the time for the last messages.
const lastTime = 2 * time.Second

func (c *Client) sendBatch(ctx context.Context, e *collector.Endpoint, client *http.Client) error {
	batch := c.out.take(wire.MaxPollMessages)
	if len(batch) == 0 {
		return nil
	}
	var body wire.PollMessages
	for _, m := range batch {
		b, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("encode a message: %w", err)
		}
		body.Messages = append(body.Messages, b)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode messages: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	resp, err := request(ctx, e, client, http.MethodPost, c.query(), b)
	if err != nil {
		c.out.restore(batch)
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusNoContent:
		return nil
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		c.out.restore(batch)
	}
	return refusal(resp, time.Now())
}

func request(ctx context.Context, e *collector.Endpoint, client *http.Client, method string, q url.Values, body []byte) (*http.Response, error) {
	base, err := e.Base()
	if err != nil {
		return nil, err
	}
	at := base.JoinPath(wire.PathPoll)
	at.RawQuery = q.Encode()
	r, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	e.Authorise(r)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return client.Do(r)
}
