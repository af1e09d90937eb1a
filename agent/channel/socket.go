package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

const (
	// pingTime is the time for the answer to a ping.
	pingTime = 12 * time.Second
	// openTime limits the time to connect and to exchange hellos.
	openTime = 25 * time.Second
	// writeTime limits the time to write one message.
	writeTime = 10 * time.Second
)

// socket keeps a WebSocket until it ends.
func (c *Client) socket(ctx context.Context, e *collector.Endpoint) error {
	base, err := e.Base()
	if err != nil {
		return err
	}
	// Not bound to ctx, so that the last messages can be sent when the program ends.
	line, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	opening := context.AfterFunc(ctx, cancel)
	slow := time.AfterFunc(openTime, cancel)
	defer slow.Stop()
	client := e.Client()
	defer client.CloseIdleConnections()
	conn, resp, err := websocket.Dial(line, base.JoinPath(wire.PathChannel).String(), &websocket.DialOptions{
		HTTPClient: client, HTTPHeader: http.Header{"Authorization": {"Bearer " + e.Token}}, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return c.noSocket(ctx, resp, err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(wire.MaxChannelBytes)
	theirs := clockOf(resp, time.Now())
	hello := wire.ChannelMessage{Type: wire.MessageHello, ID: c.Retests.known(), Version: c.Version, Instance: c.Instance, Screen: c.present}
	err = write(line, conn, hello)
	if err == nil {
		var m wire.ChannelMessage
		// A middlebox may accept the upgrade and then forward nothing.
		if m, err = read(line, conn); err == nil && m.Type != wire.MessageHello {
			err = ErrInvalidResponse
		}
	}
	if err != nil {
		return orClosed(fmt.Errorf("%w: %w", ErrNoWebSocket, err), err)
	}
	slow.Stop()
	opening()
	c.connected("websocket")
	opened := time.Now()
	ended := make(chan error, 1)
	go func() {
		defer cancel()
		var err error
		if panicked := guard.Do(func() { err = c.receive(line, conn, theirs, e) }); panicked != nil {
			err = panicked
		}
		ended <- err
	}()
	err = c.send(ctx, line, conn)
	cancel()
	cause := <-ended
	if errors.Is(err, errPresenceChanged) {
		return err
	}
	if ctx.Err() == nil && websocket.CloseStatus(cause) == -1 && !errors.Is(cause, ErrFlood) {
		c.beats.lost(time.Since(opened))
	}
	if err == nil || orClosed(nil, cause) != nil || errors.Is(cause, ErrFlood) {
		err = orClosed(cause, cause)
	}
	return err
}

// receive passes messages on until the connection ends.
func (c *Client) receive(line context.Context, conn *websocket.Conn, theirs clock, e *collector.Endpoint) error {
	var b budget
	for {
		m, err := read(line, conn)
		unknown := errors.Is(err, wire.ErrMessageType)
		if err != nil && !unknown {
			return err
		}
		if err := b.take(c.Clock.Now()); err != nil {
			return err
		}
		if unknown {
			continue
		}
		c.apply(m, e, theirs.at(time.Now()))
	}
}

// renew reports that the collector asks for a new token. A program that uses the service leaves that to
// the service.
func renew(e *collector.Endpoint) {
	if e.Renew != nil && e.Via == nil {
		e.Renew()
	}
}

// send sends messages, beats and pings until the connection or the program ends.
func (c *Client) send(ctx, line context.Context, conn *websocket.Conn) error {
	beats := time.NewTicker(c.beats.every)
	defer beats.Stop()
	for n := 1; ; {
		select {
		case <-c.out.ready:
			if err := c.flush(line, conn); err != nil {
				return err
			}
		case <-beats.C:
			send := beat
			if n%beatsPerPing == 0 {
				send = ping
			}
			if err := send(line, conn); err != nil {
				return err
			}
			n++
		case <-line.Done():
			return nil
		case <-c.presenceChanged:
			err := c.flush(line, conn)
			_ = conn.Close(websocket.StatusGoingAway, "")
			return errors.Join(errPresenceChanged, err)
		case <-ctx.Done():
			c.Retests.work.Wait() // a running retest puts its last message into the outbox
			err := c.flush(line, conn)
			_ = conn.Close(websocket.StatusGoingAway, "")
			return err
		}
	}
}

func (c *Client) flush(line context.Context, conn *websocket.Conn) error {
	for {
		next := c.out.take(1)
		if len(next) == 0 {
			return nil
		}
		if err := write(line, conn, next[0]); err != nil {
			c.out.restore(next)
			return err
		}
	}
}

func beat(line context.Context, conn *websocket.Conn) error {
	ctx, cancel := context.WithTimeout(line, writeTime)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, []byte(wire.Beat))
}

func ping(line context.Context, conn *websocket.Conn) error {
	ctx, cancel := context.WithTimeout(line, pingTime)
	defer cancel()
	if err := conn.Ping(ctx); err != nil {
		return fmt.Errorf("no answer to a ping: %w", err)
	}
	return nil
}

func write(line context.Context, conn *websocket.Conn, m wire.ChannelMessage) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	ctx, cancel := context.WithTimeout(line, writeTime)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, b)
}

func read(line context.Context, conn *websocket.Conn) (wire.ChannelMessage, error) {
	_, b, err := conn.Read(line)
	if err != nil {
		return wire.ChannelMessage{}, err
	}
	m, err := wire.ParseFromCollector(b)
	if errors.Is(err, wire.ErrMessage) {
		err = fmt.Errorf("%w: %w", ErrInvalidResponse, err)
	}
	return m, err
}

// codeNoUpgrade is the collector's answer to a request for a WebSocket without an upgrade.
const codeNoUpgrade = "upgrade_missing"

// noSocket classifies the failure of an upgrade.
func (c *Client) noSocket(ctx context.Context, resp *http.Response, err error) error {
	switch {
	case ctx.Err() != nil:
		return err
	case resp != nil && resp.StatusCode == http.StatusSwitchingProtocols, resp == nil && !unreachable(err):
		return fmt.Errorf("%w: %w", ErrNoWebSocket, err)
	case resp == nil:
		return err
	}
	refused := refusal(resp, time.Now())
	answer, answered := errors.AsType[*collector.APIError](refused)
	// Another machine answered, or one between removed the upgrade from the request.
	if errors.Is(refused, ErrInvalidResponse) || answered && answer.Code == codeNoUpgrade {
		return fmt.Errorf("%w: %w", ErrNoWebSocket, refused)
	}
	return refused
}

// orClosed returns the error that corresponds to the collector's close status in err, and other if
// there is none.
func orClosed(other, err error) error {
	switch websocket.CloseStatus(err) {
	case wire.CloseShut:
		return fmt.Errorf("%w: %w", ErrBlocked, err)
	case wire.CloseFlood, wire.CloseMessage, websocket.StatusMessageTooBig:
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return other
}
