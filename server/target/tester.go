package target

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/server/whip"
)

// Limits of a test against a server that is broken or hostile.
const (
	stepTime       = 6 * time.Second
	maxAnswerBytes = 1 << 20
)

// Outcome is the result of a step of a test.
type Outcome string

// The outcomes of a step.
const (
	Good     Outcome = "ok"
	Failed   Outcome = "fail"
	Untested Outcome = "unknown"
)

// Step is one step of a test. It contains no secret.
type Step struct {
	Name string `json:"name"` // reach or secret
	// Request is the request without its query; "" for none.
	Request string  `json:"request,omitempty"`
	Status  int     `json:"http_status,omitempty"`
	MS      int64   `json:"ms"`
	Outcome Outcome `json:"status"`
	// Problem describes the fault, or why nothing was tested, and what the administrator
	// can do about it.
	Problem string `json:"problem,omitempty"`
}

// Tester tests targets from the collector's machine: whether the system responds, and
// whether its secret is right. Only agents test the sound.
type Tester struct {
	Client *http.Client
	Now    func() time.Time
	Random io.Reader
}

// NewTester returns a Tester that does not follow redirects: a target's address is that of
// the system itself.
func NewTester(now func() time.Time, random io.Reader) Tester {
	return Tester{Now: now, Random: random, Client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Test performs the steps. It creates no meeting.
func (x Tester) Test(ctx context.Context, t Target) ([]Step, error) {
	u, err := url.Parse(t.URL)
	if err != nil {
		return nil, fmt.Errorf("read the address of the target: %w", err)
	}
	reach := x.reach(ctx, t, u)
	secret := Step{Name: "secret", Outcome: Untested, Problem: "the step before failed"}
	switch {
	case !needsSecret(t.System):
		secret.Problem = "this system needs no secret"
	case reach.Outcome != Good:
	case t.System == "bbb" && t.Secret == "":
		secret.Problem = "no secret is known: 'bbb-conf --secret' shows it on the server, give it with --secret-file"
	case t.System == "whip" && t.Secret == "":
		secret.Problem = "no secret is known: an endpoint that requires a token can be tested with --secret-file only"
	case t.System == "livekit" && t.APISecret == "":
		secret.Problem = "no key is known: without it agents cannot test the sound; give --api-key and --api-secret-file"
	case t.System == "bbb":
		secret, err = x.bbbSecret(ctx, t, u)
	case t.System == "livekit":
		secret, err = x.livekitSecret(ctx, t, u)
	case t.System == "whip":
		secret, err = x.whipSecret(ctx, t, u)
	}
	return []Step{reach, secret}, err
}

// needsSecret reports whether a target of the system can have a secret.
func needsSecret(system string) bool {
	return system == "bbb" || system == "livekit" || system == "whip"
}

// request is one request to a server.
type request struct {
	method string
	at     *url.URL
	token  string
}

// ask performs a step: one request, whose response is evaluated by judge.
func (x Tester) ask(ctx context.Context, name string, q request, judge func(status int, body []byte) string) Step {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	shown := url.URL{Scheme: q.at.Scheme, Host: q.at.Host, Path: q.at.Path}
	s := Step{Name: name, Request: q.method + " " + shown.String(), Outcome: Failed}
	began := x.Now()
	status, body, err := x.do(ctx, q)
	s.Status, s.MS = status, x.Now().Sub(began).Milliseconds()
	if err != nil {
		s.Problem = problemOf(err, stepTime)
		return s
	}
	if s.Problem = judge(status, body); s.Problem == "" {
		s.Outcome = Good
	}
	return s
}

func (x Tester) do(ctx context.Context, q request) (status int, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, q.method, q.at.String(), nil)
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("User-Agent", "tonprobe")
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	resp, err := x.Client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	if err == nil && len(body) > maxAnswerBytes {
		err = errors.New("the response is too long")
	}
	return resp.StatusCode, body, err
}

// problemOf describes a connection error of a request with a time limit. It omits the URL, whose query
// is signed.
func problemOf(err error, limit time.Duration) string {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %v", limit)
	}
	return err.Error()
}

// reach tests whether the system responds, without a secret.
func (x Tester) reach(ctx context.Context, t Target, u *url.URL) Step {
	switch {
	case t.System == "bbb":
		return x.ask(ctx, "reach", request{http.MethodGet, apiOf(u), ""}, func(status int, body []byte) string {
			if a, ok := parseBBB(body); status == http.StatusOK && ok && a.ReturnCode == "SUCCESS" {
				return ""
			}
			return fmt.Sprintf("this is not the API of a BigBlueButton (status %d)", status)
		})
	case t.System == "livekit":
		return x.ask(ctx, "reach", request{http.MethodGet, rootOf(u), ""}, func(status int, _ []byte) string {
			switch status {
			case http.StatusOK:
				return ""
			case http.StatusNotAcceptable:
				return "the server reports that it is not ready"
			}
			return fmt.Sprintf("this is not the API of a LiveKit (status %d)", status)
		})
	case t.System == "janus" && (u.Scheme == "http" || u.Scheme == "https"):
		return x.ask(ctx, "reach", request{http.MethodGet, u.JoinPath("info"), ""}, func(status int, body []byte) string {
			var a struct{ Janus string }
			if status == http.StatusOK && json.Unmarshal(body, &a) == nil && a.Janus == "server_info" {
				return ""
			}
			return fmt.Sprintf("this is not the API of a Janus (status %d)", status)
		})
	case t.System == "whip":
		return x.ask(ctx, "reach", request{http.MethodOptions, u, ""}, func(status int, _ []byte) string {
			if status < http.StatusBadRequest || status == http.StatusUnauthorized || status == http.StatusMethodNotAllowed {
				return ""
			}
			return fmt.Sprintf("the endpoint answers with status %d", status)
		})
	case t.System == "zoom": // see probe/conference/zoom
		return x.ask(ctx, "reach", request{http.MethodGet, u, ""}, func(status int, _ []byte) string {
			if status < http.StatusBadRequest || status == http.StatusForbidden || status == http.StatusMethodNotAllowed || status == http.StatusTooManyRequests {
				return ""
			}
			return fmt.Sprintf("the server answers with status %d", status)
		})
	}
	return x.connect(ctx, u)
}

// connect opens a connection, and TLS, to an API that is not HTTP.
func (x Tester) connect(ctx context.Context, u *url.URL) Step {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	port := map[string]string{"ws": "80", "wss": "443", "rtmp": "1935", "rtmps": "443"}[u.Scheme]
	if u.Port() != "" {
		port = u.Port()
	}
	address := net.JoinHostPort(u.Hostname(), port)
	s := Step{Name: "reach", Request: "connect to " + address, Outcome: Good}
	began := x.Now()
	var c net.Conn
	var err error
	if u.Scheme == "wss" || u.Scheme == "rtmps" {
		c, err = (&tls.Dialer{}).DialContext(ctx, "tcp", address)
	} else {
		c, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	s.MS = x.Now().Sub(began).Milliseconds()
	if err != nil {
		s.Outcome, s.Problem = Failed, problemOf(err, stepTime)
		return s
	}
	_ = c.Close()
	return s
}

// bbbSecret sends a signed request about a meeting that does not exist. It does not
// request the list of meetings, which contains names of people.
func (x Tester) bbbSecret(ctx context.Context, t Target, u *url.URL) (Step, error) {
	id := make([]byte, 8)
	if _, err := io.ReadFull(x.Random, id); err != nil {
		return Step{}, fmt.Errorf("generate the id of a meeting: %w", err)
	}
	query := "meetingID=tonprobe-" + hex.EncodeToString(id)
	refused := false
	try := func(hash string) Step {
		const call = "isMeetingRunning"
		at := apiOf(u).JoinPath(call)
		at.RawQuery = query + "&checksum=" + checksum(hash, call, query, t.Secret)
		return x.ask(ctx, "secret", request{http.MethodGet, at, ""}, func(status int, body []byte) string {
			a, ok := parseBBB(body)
			refused = ok && a.MessageKey == "checksumError"
			switch {
			case ok && a.ReturnCode == "SUCCESS":
				return ""
			case refused:
				return "the server rejects the secret: compare it with 'bbb-conf --secret' on the server"
			case ok:
				return fmt.Sprintf("the server rejects the request: %.40q", a.MessageKey)
			}
			return fmt.Sprintf("the API sent an unexpected response (status %d)", status)
		})
	}
	first := try(t.Hash)
	if !refused {
		return first, nil
	}
	// The server determines the accepted hashes, so the hash may be the reason for the
	// rejection.
	for _, hash := range hashNames() {
		if hash == t.Hash {
			continue
		}
		if s := try(hash); s.Outcome == Good {
			s.Outcome, s.Problem = Failed, fmt.Sprintf("the secret is right, but the server does not accept %s: remove the target and add it with --hash %s", t.Hash, hash)
			return s, nil
		}
	}
	return first, nil
}

// livekitSecret has the server validate a token for a test room. It does not join.
func (x Tester) livekitSecret(ctx context.Context, t Target, u *url.URL) (Step, error) {
	room, err := Provider{Now: x.Now, Random: x.Random}.room(t)
	if err != nil {
		return Step{}, err
	}
	at := rootOf(u).JoinPath("rtc", "validate")
	return x.ask(ctx, "secret", request{http.MethodGet, at, room.Publish}, func(status int, _ []byte) string {
		switch status {
		case http.StatusOK:
			return ""
		case http.StatusUnauthorized:
			return "the server rejects the key or its secret: compare them with 'keys' in its configuration, and the clocks of both machines"
		case http.StatusNotFound:
			return "the server creates no room when somebody joins (room.auto_create is off), so agents cannot test the sound"
		}
		return fmt.Sprintf("the server answers with status %d", status)
	}), nil
}

// whipSecret has the endpoint validate a token. The end of a session that does not exist
// requires a token (RFC 9725 §4.7) and changes nothing.
func (x Tester) whipSecret(ctx context.Context, t Target, u *url.URL) (Step, error) {
	token, err := whip.Token([]byte(t.Secret), x.Now())
	if err != nil {
		return Step{}, err
	}
	return x.ask(ctx, "secret", request{http.MethodDelete, u.JoinPath("tonprobe"), token}, func(status int, _ []byte) string {
		switch status {
		case http.StatusUnauthorized, http.StatusForbidden:
			return "the endpoint rejects the token: compare the secret with its own, and the clocks of both machines"
		}
		return ""
	}), nil
}

// apiOf returns the address of BigBlueButton's API for any address on its host.
func apiOf(u *url.URL) *url.URL {
	return &url.URL{Scheme: webScheme(u), Host: u.Host, Path: "/bigbluebutton/api"}
}

// rootOf returns the base address of a LiveKit.
func rootOf(u *url.URL) *url.URL {
	path := strings.TrimSuffix(strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1"), "/rtc")
	return &url.URL{Scheme: webScheme(u), Host: u.Host, Path: path + "/"}
}

func webScheme(u *url.URL) string {
	switch u.Scheme {
	case "ws":
		return "http"
	case "wss":
		return "https"
	}
	return u.Scheme
}

// bbbAnswer is a response of BigBlueButton's API.
type bbbAnswer struct {
	ReturnCode string `xml:"returncode" json:"returncode"`
	MessageKey string `xml:"messageKey" json:"messageKey"`
}

// parseBBB parses XML, or JSON, which versions from 3.0 on may return.
func parseBBB(body []byte) (bbbAnswer, bool) {
	var a bbbAnswer
	if xml.Unmarshal(body, &a) == nil && a.ReturnCode != "" {
		return a, true
	}
	var j struct {
		Response bbbAnswer `json:"response"`
	}
	if json.Unmarshal(body, &j) == nil && j.Response.ReturnCode != "" {
		return j.Response, true
	}
	return bbbAnswer{}, false
}
