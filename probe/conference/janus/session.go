package janus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report"
)

// message is a request, a response or an event of the gateway
// (janus.conf.meetecho.com/docs/rest.html).
type message struct {
	Janus         string     `json:"janus"`
	Transaction   string     `json:"transaction,omitempty"`
	SessionID     uint64     `json:"session_id,omitempty"`
	HandleID      uint64     `json:"handle_id,omitempty"`
	Plugin        string     `json:"plugin,omitempty"`
	Data          *ident     `json:"data,omitempty"`
	Error         *fault     `json:"error,omitempty"`
	VersionString string     `json:"version_string,omitempty"`
	Body          any        `json:"body,omitempty"`
	JSEP          *jsep      `json:"jsep,omitempty"`
	PluginData    *plugged   `json:"plugindata,omitempty"`
	Candidate     *candidate `json:"candidate,omitempty"`
	Reason        any        `json:"reason,omitempty"` // of a hangup
}

// jsep is an offer or an answer.
type jsep struct {
	Type string `json:"type"`
	SDP  string `json:"sdp"`
}

// plugged is the message of a plugin.
type plugged struct {
	Data struct {
		Result    string `json:"result"`
		ErrorCode int    `json:"error_code"`
		Error     string `json:"error"`
	} `json:"data"`
}

// candidate is an address that arrived separately; Completed ends the list.
type candidate struct {
	Candidate string `json:"candidate,omitempty"`
	Completed bool   `json:"completed,omitempty"`
}

type ident struct {
	ID uint64 `json:"id"`
}

type fault struct {
	Code   int    `json:"code"`
	Reason string `json:"reason"`
}

// errNoMessage means that a response is not from a Janus.
var errNoMessage = errors.New("not a valid Janus message")

func isNoMessage(err error) bool { return errors.Is(err, errNoMessage) }

// statusError is a response that is not from a Janus, with an error status of HTTP.
type statusError int

func (e statusError) Error() string { return "HTTP status " + strconv.Itoa(int(e)) }

// received returns the message in a response.
func received(a *visit.Answer) (message, error) {
	m, err := parse(a.Body)
	if err != nil && a.Status >= http.StatusBadRequest {
		return message{}, statusError(a.Status)
	}
	return m, err
}

// faultOf returns the outcome for an error instead of a message.
func faultOf(err error) visit.Outcome {
	if status, ok := errors.AsType[statusError](err); ok {
		return visit.StatusFault(int(status))
	}
	if isNoMessage(err) {
		return visit.Fault("not_api")
	}
	return visit.Failed(err)
}

func parse(body []byte) (message, error) {
	var m message
	if json.Unmarshal(body, &m) != nil || m.Janus == "" {
		return message{}, errNoMessage
	}
	return m, nil
}

// transport sends one request and returns its response: "success", "error" or "ack".
// event returns an event of the gateway.
type transport interface {
	request(ctx context.Context, m message) (message, error)
	event(ctx context.Context, session uint64) (message, error)
	close()
}

// session is a session of the gateway, with a handle of a plugin after attach.
type session struct {
	over       transport
	env        probe.Env
	id, handle uint64
}

// leaveTime limits the time to close a session.
const leaveTime = time.Second

// close ends the session; otherwise the gateway would keep it for a minute. The transport
// stays open.
func (s *session) close() {
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	_, _ = s.over.request(ctx, message{Janus: "destroy", SessionID: s.id})
}

// open creates a session. A gateway with a secret admits only its own clients.
func open(ctx context.Context, env probe.Env, over transport) (*session, visit.Outcome) {
	m, err := over.request(ctx, message{Janus: "create"})
	if err == nil && m.Error != nil && m.Error.Code == codeSecret {
		return nil, visit.Untested(visit.NeedsLink)
	}
	if o := judge(m, err, m.Janus == "success" && m.Data != nil); o.Status != report.StatusOK {
		return nil, o
	}
	return &session{over: over, env: env, id: m.Data.ID}, visit.OK()
}

// attach requests a handle of a plugin. A gateway may work without the EchoTest.
func (s *session) attach(ctx context.Context, plugin string) visit.Outcome {
	m, err := s.over.request(ctx, message{Janus: "attach", SessionID: s.id, Plugin: plugin})
	if err == nil && m.Error != nil && m.Error.Code == codeNoPlugin {
		return visit.Untested(notOffered)
	}
	o := judge(m, err, m.Janus == "success" && m.Data != nil)
	if o.Status == report.StatusOK {
		s.handle = m.Data.ID
	}
	return o
}

const (
	// maxEvents limits the events of a session that are read before the answer, and after it.
	maxEvents = 50
	// emptyPause is the pause after an event without content. Something between this
	// computer and the gateway may answer each long poll at once.
	emptyPause = 40 * time.Millisecond
)

// event returns the next event.
func (s *session) event(ctx context.Context) (message, error) {
	m, err := s.over.event(ctx, s.id)
	if err == nil && m.Error == nil && m.JSEP == nil && m.PluginData == nil && m.Candidate == nil {
		err = s.env.Clock.Sleep(ctx, emptyPause)
	}
	return m, err
}

// judge returns the outcome of a request: a fault unless its response is expected.
func judge(m message, err error, expected bool) visit.Outcome {
	switch {
	case err != nil:
		return faultOf(err)
	case m.Error != nil:
		return refusal(m)
	case !expected:
		return visit.Fault("not_api")
	}
	return visit.OK()
}

// posts sends requests over HTTP: the ids are part of the path.
type posts struct{ v *visit.Visit }

func (p posts) request(ctx context.Context, m message) (message, error) {
	at := p.v.URL
	if m.SessionID != 0 {
		at = at.JoinPath(strconv.FormatUint(m.SessionID, 10))
	}
	if m.HandleID != 0 {
		at = at.JoinPath(strconv.FormatUint(m.HandleID, 10))
	}
	m.SessionID, m.HandleID, m.Transaction = 0, 0, transaction()
	body, err := json.Marshal(m)
	if err != nil {
		return message{}, err
	}
	a, err := p.v.Ask(ctx, http.MethodPost, at, http.Header{"Content-Type": {"application/json"}}, bytes.NewReader(body))
	if err != nil {
		return message{}, err
	}
	return received(a)
}

// event uses long polling, which the gateway ends after 30 s with a keepalive.
func (p posts) event(ctx context.Context, session uint64) (message, error) {
	a, err := p.v.Get(ctx, p.v.URL.JoinPath(strconv.FormatUint(session, 10)), nil)
	if err != nil {
		return message{}, err
	}
	return received(a)
}

func (posts) close() {}
