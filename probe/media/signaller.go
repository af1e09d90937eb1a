package media

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Signaller exchanges everything but media with the reflector. An error that is a
// [SignalError] is the server's own response; any other error means that the server
// did not respond.
type Signaller interface {
	// ICE returns the STUN and TURN servers and their credentials.
	ICE(ctx context.Context) (wire.ICEConfig, error)
	// Offer opens an echo session. resource identifies it for End.
	Offer(ctx context.Context, offerSDP string) (answerSDP, resource string, err error)
	// End closes the session and returns the log of what arrived.
	End(ctx context.Context, resource string) (wire.EchoLog, error)
}

// SignalError is an unexpected response of the collector.
type SignalError struct {
	Status int    // HTTP status
	Code   string // the collector's error code, or the reason why its response is invalid
}

func (e *SignalError) Error() string {
	return fmt.Sprintf("the collector answered with status %d (%s)", e.Status, e.Code)
}

// ErrInterrupted means that a part of this computer that forwards requests has failed, so
// nothing is known about the server.
var ErrInterrupted = errors.New("interrupted on this computer")

// HTTPSignaller is the signaller for a collector. As in WHIP (RFC 9725), POST of an
// offer yields the answer and a Location, and DELETE of the Location ends the
// session.
type HTTPSignaller struct {
	Base   *url.URL
	Token  string       // "" if Client authorises the requests
	Client *http.Client // nil means http.DefaultClient
}

const maxAnswerBytes = 64 << 10

// ICE implements [Signaller].
func (s *HTTPSignaller) ICE(ctx context.Context) (wire.ICEConfig, error) {
	body, err := hedged(ctx, func(ctx context.Context) ([]byte, error) {
		body, _, err := s.ask(ctx, http.MethodGet, s.Base.JoinPath("api/v1/ice"), nil, http.StatusOK, wire.MaxICEConfigBytes)
		return body, err
	})
	if err != nil {
		return wire.ICEConfig{}, fmt.Errorf("request ICE servers: %w", err)
	}
	c, err := wire.ParseICEConfig(body)
	if err != nil {
		return wire.ICEConfig{}, &SignalError{Status: http.StatusOK, Code: "malformed ICE servers"}
	}
	return *c, nil
}

// Offer implements [Signaller]. If it had to ask twice, the unused session ends by
// its time limit for the first packet.
func (s *HTTPSignaller) Offer(ctx context.Context, offerSDP string) (answerSDP, resource string, err error) {
	type answer struct {
		body   []byte
		header http.Header
	}
	a, err := hedged(ctx, func(ctx context.Context) (a answer, err error) {
		a.body, a.header, err = s.ask(ctx, http.MethodPost, s.Base.JoinPath("api/v1/echo"), []byte(offerSDP), http.StatusCreated, maxAnswerBytes)
		return a, err
	})
	if err != nil {
		return "", "", fmt.Errorf("offer the stream: %w", err)
	}
	body, header := a.body, a.header
	at, err := s.Base.JoinPath("api/v1/echo").Parse(header.Get("Location"))
	// The token must not be sent to any other server than the collector.
	if err != nil || header.Get("Location") == "" || at.Scheme != s.Base.Scheme || at.Host != s.Base.Host {
		return "", "", &SignalError{Status: http.StatusCreated, Code: "no usable Location"}
	}
	return string(body), at.String(), nil
}

// End implements [Signaller].
func (s *HTTPSignaller) End(ctx context.Context, resource string) (wire.EchoLog, error) {
	at, err := url.Parse(resource)
	if err != nil {
		return wire.EchoLog{}, fmt.Errorf("end the stream: %w", err)
	}
	body, _, err := s.ask(ctx, http.MethodDelete, at, nil, http.StatusOK, wire.MaxEchoLogBytes)
	if err != nil {
		return wire.EchoLog{}, fmt.Errorf("end the stream: %w", err)
	}
	log, err := wire.ParseEchoLog(body)
	if err != nil {
		return wire.EchoLog{}, &SignalError{Status: http.StatusOK, Code: "malformed echo log"}
	}
	return *log, nil
}

// ask sends one request and reads at most most bytes of the response, whose status
// must be want.
func (s *HTTPSignaller) ask(ctx context.Context, method string, at *url.URL, body []byte, want, most int) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if s.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.Token)
	}
	if body != nil {
		req.Header.Set("Content-Type", wire.MediaTypeSDP)
	}
	client := s.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, int64(most)+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != want {
		return nil, nil, &SignalError{Status: resp.StatusCode, Code: errorCode(got)}
	}
	if len(got) > most {
		return nil, nil, &SignalError{Status: resp.StatusCode, Code: "answer too long"}
	}
	return got, resp.Header, nil
}

// errorCode parses {"error":{"code"}}, which the page of a proxy does not contain.
func errorCode(body []byte) string {
	var e struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil || e.Error.Code == "" || len(e.Error.Code) > 64 {
		return "no error code"
	}
	return e.Error.Code
}

// isServerAnswer reports whether err is a response of the collector itself.
func isServerAnswer(err error) bool {
	var s *SignalError
	return errors.As(err, &s)
}
