package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// proxiedRequest is a request that a person's program needs to send to the collector
// through the service. Other requests are refused: with the service's token, a program
// could otherwise do everything that this computer may do.
type proxiedRequest struct {
	method, path string // path in the form of http.ServeMux, with the id as {id}
	most         int64  // bytes of the body
	query        []string
	types        []string // allowed content types of the body
}

func proxiedRequests() []proxiedRequest {
	return []proxiedRequest{
		{method: http.MethodGet, path: "/api/v1/ice"},
		{method: http.MethodGet, path: "/" + wire.PathTargets, query: []string{wire.ParamJoin}},
		{method: http.MethodPost, path: "/" + wire.PathDisturbances, most: wire.MaxDisturbanceBytes, types: []string{"application/json"}},
		{method: http.MethodPost, path: "/" + wire.PathOwnPage},
		{method: http.MethodPost, path: "/api/v1/echo", most: maxRequestBytes, types: []string{wire.MediaTypeSDP}},
		{method: http.MethodDelete, path: "/api/v1/echo/{id}"},
	}
}

// returned are the headers of a response that are passed back.
func returned() []string {
	return []string{"Content-Type", "Location", "Retry-After", wire.HeaderTimeMS, wire.HeaderCollector, wire.HeaderSupportPhone}
}

// patternID matches the ids of echo sessions, and nothing that could change the path.
var patternID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// maxProxiedBytes limits what is passed back; the largest is the log of an echo session.
const maxProxiedBytes = max(wire.MaxEchoLogBytes, wire.MaxICEConfigBytes, wire.MaxTargetsBytes, 64<<10)

// proxy sends a request to the collector with the token of the machine.
func (s *Server) proxy(w http.ResponseWriter, r *http.Request, p proxiedRequest) error {
	e, err := s.Agent.Collector()
	if err != nil {
		return err
	}
	if e == nil || e.Token == "" {
		return fmt.Errorf("%w: this computer is not enrolled", ErrInvalid)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, p.most))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	req, err := collectorRequest(r, p, e, body)
	if err != nil {
		return err
	}
	resp, err := s.clientOf(e).Do(req)
	if err != nil {
		if collector.Untrusted(err) {
			return fmt.Errorf("%w: %w", errUntrusted, err)
		}
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxProxiedBytes+1))
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	if len(got) > maxProxiedBytes {
		return errTooLong
	}
	for _, name := range returned() {
		if values := resp.Header.Values(name); len(values) > 0 {
			w.Header()[http.CanonicalHeaderKey(name)] = values[:1]
		}
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(got)
	return nil
}

// clientOf returns a client for e that later requests share, so that a check needs one
// handshake and not four. The enrolment and the trust may have changed since the last one.
func (s *Server) clientOf(e *collector.Endpoint) *http.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil && !s.endpoint.SameAccess(e) {
		s.client.CloseIdleConnections()
		s.client = nil
	}
	if s.client == nil {
		s.client, s.endpoint = e.Client(), e
	}
	return s.client
}

func collectorRequest(r *http.Request, p proxiedRequest, e *collector.Endpoint, body []byte) (*http.Request, error) {
	base, err := e.Base()
	if err != nil {
		return nil, err
	}
	at := base.JoinPath(p.path)
	if id := r.PathValue("id"); id != "" {
		if !patternID.MatchString(id) {
			return nil, fmt.Errorf("%w: not an id", ErrInvalid)
		}
		at = base.JoinPath("api/v1/echo", id)
	}
	query := url.Values{}
	for _, name := range p.query {
		if v := r.URL.Query().Get(name); v != "" {
			query.Set(name, v)
		}
	}
	at.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(r.Context(), r.Method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(p.types) > 0 {
		if !slices.Contains(p.types, r.Header.Get("Content-Type")) {
			return nil, fmt.Errorf("%w: content type", ErrInvalid)
		}
		req.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	}
	e.Authorise(req)
	return req, nil
}

// Errors on the way from the service to the collector. The program's probes report them
// as connection errors, as they would without the service.
var (
	errUntrusted   = errors.New("the collector's certificate is not trusted")
	errUnreachable = errors.New("the service cannot reach the collector")
	errTooLong     = errors.New("the collector's response is too long to be passed on")
)
