package bbb

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"strconv"
	"sync"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/report"
)

// start requests a call (audio-broker.js of bigbluebutton-html5, audio-req-hdlr.js of
// bbb-webrtc-sfu). clientSessionNumber must be a number. The extension is always that of
// the echo: without it, the call would lead into the conference.
type start struct {
	ID                    string `json:"id"`
	Type                  string `json:"type"`
	Role                  string `json:"role"`
	ClientSessionNumber   int    `json:"clientSessionNumber"`
	Offer                 string `json:"sdpOffer"`
	Extension             string `json:"extension"`
	TransparentListenOnly bool   `json:"transparentListenOnly"`
}

const (
	typeAudio     = "audio"
	roleBoth      = "sendrecv"
	extensionEcho = "echo"
)

// reply is a message of the SFU. The code of its own errors is a string, that of the
// media server a number, and some are nested one level deeper.
type reply struct {
	ID       string          `json:"id"`
	Response string          `json:"response"`
	Answer   string          `json:"sdpAnswer"`
	Code     json.RawMessage `json:"code"`
	Error    *struct {
		Code json.RawMessage `json:"code"`
	} `json:"error"`
}

// errSFU means that a message does not come from the SFU.
var errSFU = errors.New("not a valid SFU message")

func parseReply(got []byte) (reply, error) {
	var r reply
	if json.Unmarshal(got, &r) != nil || r.ID == "" {
		return reply{}, errSFU
	}
	return r, nil
}

// fault returns the number of an error, or a code if it has none.
func (r reply) fault() string {
	for _, raw := range []json.RawMessage{r.Code, r.nested()} {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		if n, err := strconv.Atoi(text); err == nil && n > 0 && n < 100000 {
			return strconv.Itoa(n)
		}
	}
	return "call_refused"
}

func (r reply) nested() json.RawMessage {
	if r.Error == nil {
		return nil
	}
	return r.Error.Code
}

// signaller is the signalling connection of a call.
type signaller struct {
	conn *websocket.Conn
	log  *slog.Logger
	done chan struct{} // closed when nothing more is read; nil before the call

	mu    sync.Mutex
	ended string // why the server ended the call; "" while it runs
}

// open opens the connection and waits for the response to a ping: the SFU closes the
// connection of an unknown user without a message.
func open(ctx context.Context, v *visit.Visit, s session) (*signaller, visit.Outcome) {
	at := v.At(pathSignalling)
	at.RawQuery = url.Values{"sessionToken": {s.token}}.Encode()
	conn, status, err := v.WebSocket(ctx, at)
	if err != nil {
		return nil, visit.SocketFault(status, err)
	}
	c := &signaller{conn: conn, log: v.Env.Log}
	if err := wsjson.Write(ctx, conn, map[string]string{"id": "ping"}); err != nil {
		return c, broken(err)
	}
	if _, o := c.await(ctx, "pong"); o.Status != report.StatusOK {
		return c, o
	}
	return c, visit.OK()
}

// await reads until a message of the given kind or an error arrives.
func (c *signaller) await(ctx context.Context, id string) (reply, visit.Outcome) {
	for {
		r, err := c.read(ctx)
		switch {
		case errors.Is(err, errSFU):
			return r, visit.Fault("not_api")
		case err != nil:
			return r, broken(err)
		case r.ID == id:
			return r, visit.OK()
		case r.ID == "error", r.ID == "webRTCAudioError":
			return r, visit.Fault(r.fault())
		case r.ID == "close":
			return r, visit.Fault("hung_up")
		}
	}
}

func (c *signaller) read(ctx context.Context) (reply, error) {
	_, got, err := c.conn.Read(ctx)
	if err != nil {
		return reply{}, err
	}
	return parseReply(got)
}

// call sends the offer for the echo and returns the server's answer.
func (c *signaller) call(ctx context.Context, offer string) (string, visit.Outcome) {
	ask := start{ID: "start", Type: typeAudio, Role: roleBoth, ClientSessionNumber: 1, Offer: offer, Extension: extensionEcho}
	if err := wsjson.Write(ctx, c.conn, ask); err != nil {
		return "", broken(err)
	}
	r, o := c.await(ctx, "startResponse")
	switch {
	case o.Status != report.StatusOK:
		return "", o
	case r.Response != "accepted":
		return "", visit.Fault(r.fault())
	}
	c.done = make(chan struct{})
	guard.Go(c.log, c.watch)
	return r.Answer, visit.OK()
}

// watch reads messages during the call, until the connection ends.
func (c *signaller) watch() {
	defer close(c.done)
	for {
		r, o := c.await(context.Background(), "close")
		if o.Code == "not_api" {
			continue
		}
		c.mu.Lock()
		c.ended = o.Code
		if r.ID == "close" {
			c.ended = "hung_up"
		}
		c.mu.Unlock()
		return
	}
}

// endReason returns why the server ended the call; "" during it.
func (c *signaller) endReason() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// leave ends the call and the connection.
func (c *signaller) leave(ctx context.Context) {
	if c == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if c.done != nil {
		_ = wsjson.Write(ctx, c.conn, map[string]string{"id": "stop", "type": typeAudio, "role": roleBoth})
	}
	closeConn(ctx, c.log, c.conn)
	if c.done == nil {
		return
	}
	select {
	case <-c.done:
	case <-ctx.Done():
	}
}

// broken returns the outcome for the way in which the server ended a connection.
func broken(err error) visit.Outcome {
	if code := websocket.CloseStatus(err); code > 0 {
		return visit.StatusFault(int(code))
	}
	return visit.Failed(err)
}
