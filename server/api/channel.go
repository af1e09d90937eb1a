package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/live"
)

const (
	// helloTime is the time allowed for the first message.
	helloTime = 10 * time.Second
	// silenceTime is how long a connection may be silent before it is closed. Agents that send no
	// beats ping about once a minute.
	silenceTime = 150 * time.Second
	// beatSilence is the same after a beat.
	beatSilence = wire.BeatEvery + wire.BeatSlack
	// sendTime limits the time to send one message, in case the agent does not read.
	sendTime = 10 * time.Second
	// verifyEvery is how often the token of an open connection is verified at a ping or a message,
	// because it may be revoked by another process. It is less than two intervals of the beats.
	verifyEvery = 45 * time.Second
	// touchConnected is how often the last contact of a connected agent is stored. Pages do not
	// need it, because they show that the agent is connected.
	touchConnected = 15 * time.Minute
	// sendBacklog limits the messages that wait for a slow agent.
	sendBacklog = 16
	// smallBuffer is the size of the two buffers of a connection, in bytes; most messages fit.
	smallBuffer = 256
)

// openChannel accepts the WebSocket of an agent. The handler returns, so that the memory of the
// request is released; one goroutine with small buffers serves the connection.
func (a *API) openChannel(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := wantUpgrade(w, r); err != nil {
		return err
	}
	line := &channelLine{api: a, caller: live.Caller{AgentID: c.ID, ParticipantID: c.ParticipantID}, credentials: r.Header.Get("Authorization")}
	small := &smallHijacker{ResponseWriter: w}
	conn, err := websocket.Accept(small, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled, // as in echoWebSocket
		OnPingReceived: line.pinged,
	})
	if err != nil {
		a.Log.DebugContext(r.Context(), "upgrade to a WebSocket failed", "err", err)
		return nil // Accept has answered
	}
	conn.SetReadLimit(wire.MaxChannelBytes)
	line.conn, line.tcp = conn, small.conn
	line.touched, line.silence = a.Now(), silenceTime
	line.verified = line.touched
	go line.serve()
	return nil
}

// smallHijacker replaces the buffers of package net/http, 4 KiB each, when the connection is taken
// over.
type smallHijacker struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack implements http.Hijacker.
func (h *smallHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, old, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if err := old.Flush(); err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	h.conn = conn
	// Data that the agent has sent in the meantime must be in the buffer of the new reader: Accept
	// takes it from there, and then reads from the connection.
	early, _ := old.Peek(old.Reader.Buffered())
	early = bytes.Clone(early)
	reader := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), conn), max(smallBuffer, len(early)))
	if _, err := reader.Peek(len(early)); err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return conn, bufio.NewReadWriter(reader, bufio.NewWriterSize(conn, smallBuffer)), nil
}

// channelLine is the WebSocket of one agent.
type channelLine struct {
	api         *API
	caller      live.Caller
	credentials string
	conn        *websocket.Conn
	tcp         net.Conn
	link        *live.Link // set by serve after the hello

	// The following are used by the reading goroutine only, and by what it runs apart.
	touched, verified time.Time
	revoked           bool
	silence           time.Duration // permitted

	mu      sync.Mutex
	waiting []wire.ChannelMessage
	sending bool
	shut    bool
}

// serve reads until the connection ends.
func (l *channelLine) serve() {
	defer func() { _ = l.conn.CloseNow() }()
	_ = l.tcp.SetReadDeadline(time.Now().Add(helloTime))
	if err := l.next(l.begin); err != nil {
		l.refuse(err)
		return
	}
	if l.link == nil {
		return
	}
	defer l.link.Leave()
	go l.write()
	for {
		_ = l.tcp.SetReadDeadline(time.Now().Add(l.silence))
		if err := l.next(l.receive); err != nil {
			l.refuse(err)
			return
		}
	}
}

// next reads a message and processes it apart from the reading goroutine.
func (l *channelLine) next(process func(wire.ChannelMessage, error) error) error {
	kind, b, err := l.conn.Read(context.Background())
	if err != nil {
		return err
	}
	if kind != websocket.MessageText {
		return wire.ErrMessage
	}
	if string(b) == wire.Beat && l.link != nil {
		l.silence = beatSilence
		apart(func() {
			// It counts as a message, and has no other effect.
			if err = l.link.Receive(wire.ChannelMessage{}); err == nil {
				l.alive()
			}
		})
		return err
	}
	apart(func() { err = process(wire.ParseFromAgent(b)) })
	return err
}

// apart runs f on another goroutine and waits for it. The stack of the reading goroutine stays
// small for the life of the connection: decoding and database queries would grow it to several
// times the size that the wait for a message needs.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// begin processes the first message. l.link remains nil if the collector is stopping.
func (l *channelLine) begin(hello wire.ChannelMessage, err error) error {
	if err == nil && hello.Type != wire.MessageHello {
		err = live.ErrOrder
	}
	if err != nil {
		return err
	}
	// Connect may send messages, but the agent expects the hello first.
	l.waiting, l.sending = []wire.ChannelMessage{{Type: wire.MessageHello}}, true
	if link, ok := l.api.Agents.Connect(l.caller, hello, l); ok {
		l.link = link
	}
	return nil
}

// receive processes a later message.
func (l *channelLine) receive(m wire.ChannelMessage, err error) error {
	if errors.Is(err, wire.ErrMessageType) {
		m, err = wire.ChannelMessage{}, nil // counts, and has no other effect
	}
	if err == nil && !l.valid() {
		return nil // until the close handshake ends
	}
	if err != nil {
		return err
	}
	return l.link.Receive(m)
}

// refuse closes the connection with the reason, if the agent is at fault.
func (l *channelLine) refuse(err error) {
	code := websocket.StatusCode(0)
	switch {
	case errors.Is(err, live.ErrFlood):
		code = wire.CloseFlood
	case errors.Is(err, live.ErrOrder), errors.Is(err, wire.ErrMessage), errors.Is(err, wire.ErrMessageType):
		code = wire.CloseMessage
	default:
		return // the connection has ended, or the library has closed it
	}
	l.api.Log.Info("channel closed", "agent", l.caller.AgentID, "why", err)
	_ = l.conn.Close(code, closeReason(err.Error()))
}

// closeReason truncates a text to the length that a close frame permits (RFC 6455 §5.5).
func closeReason(text string) string { return text[:min(len(text), 120)] }

// pinged runs in the reading goroutine. It returns true, so that the ping is answered.
func (l *channelLine) pinged(context.Context, []byte) bool {
	if l.link != nil {
		_ = l.tcp.SetReadDeadline(time.Now().Add(l.silence))
		apart(l.alive)
	}
	return true
}

// alive records that the agent is connected, after a beat or a ping.
func (l *channelLine) alive() {
	l.link.Alive()
	if !l.valid() {
		return
	}
	if now := l.api.Now(); now.Sub(l.touched).Abs() >= touchConnected {
		l.touched = now
		l.api.keepContact(l.caller.AgentID)
	}
}

// valid verifies the token at most every verifyEvery, and closes the connection if it is
// no longer valid. It also detects that another process has asked for a new token.
func (l *channelLine) valid() bool {
	now := l.api.Now()
	if l.revoked || now.Sub(l.verified).Abs() < verifyEvery {
		return !l.revoked
	}
	l.verified = now
	c, refused := l.api.verify(l.credentials)
	switch {
	case refused == nil && !c.RenewalAskedAt.IsZero():
		l.Send(wire.ChannelMessage{Type: wire.MessageToken})
	case refused == nil:
	case refused.Code == wire.CodeTokenReplaced:
		l.revoked = true
		l.Close(live.CloseRenewed)
	default:
		l.revoked = true
		l.Close(live.CloseRevoked)
	}
	return !l.revoked
}

// Polls implements live.Transport.
func (l *channelLine) Polls() bool { return false }

// Send implements live.Transport. A goroutine exists only while messages wait, because most connections
// carry none for days.
func (l *channelLine) Send(m wire.ChannelMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		return
	}
	if len(l.waiting) >= sendBacklog {
		l.shut = true
		go func() { _ = l.conn.CloseNow() }()
		return
	}
	l.waiting = append(l.waiting, m)
	if !l.sending {
		l.sending = true
		go l.write()
	}
}

func (l *channelLine) write() {
	for {
		l.mu.Lock()
		if len(l.waiting) == 0 || l.shut {
			l.waiting, l.sending = nil, false
			l.mu.Unlock()
			return
		}
		m := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.mu.Unlock()
		b, err := json.Marshal(m)
		if err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), sendTime)
			err = l.conn.Write(ctx, websocket.MessageText, b)
			cancel()
		}
		if err != nil {
			_ = l.conn.CloseNow() // ends serve
		}
	}
}

// Close implements live.Transport.
func (l *channelLine) Close(why live.CloseReason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		return
	}
	l.shut = true
	code := websocket.StatusGoingAway
	switch why {
	case live.CloseRevoked:
		code = wire.CloseShut
	case live.CloseStopping:
		// Thousands of closing handshakes would delay the shutdown.
		go func() { _ = l.conn.CloseNow() }()
		return
	}
	go func() { _ = l.conn.Close(code, closeReason(string(why))) }()
}

// verify returns the agent with the credentials of a connection. refused is not nil if they are known
// to be invalid; a database error says nothing about them.
func (a *API) verify(credentials string) (c caller, refused *Fault) {
	ctx, cancel := context.WithTimeout(context.Background(), sendTime)
	defer cancel()
	r := (&http.Request{Header: http.Header{"Authorization": {credentials}}}).WithContext(ctx)
	c, err := a.identify(r)
	refused, _ = errors.AsType[*Fault](err)
	return c, refused
}

// keepContact stores the present time as the last contact of a connected agent.
func (a *API) keepContact(agentID string) {
	ctx, cancel := context.WithTimeout(context.Background(), sendTime)
	defer cancel()
	if err := a.Store.TouchAgent(ctx, agentID, a.Now()); err != nil {
		a.Log.Warn("the last contact could not be stored", "agent", agentID, "err", err)
	}
}
