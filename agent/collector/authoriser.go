package collector

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// authoriser repeats a request whose token the collector refuses with the other tokens of the
// agent. The first one that is accepted is used from then on.
type authoriser struct {
	endpoint *Endpoint
	next     http.RoundTripper

	mu    sync.Mutex
	token string // "" while that of the endpoint is used
}

const bearer = "Bearer "

// RoundTrip implements http.RoundTripper.
func (a *authoriser) RoundTrip(r *http.Request) (*http.Response, error) {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), bearer)
	if !ok || given != a.endpoint.Token {
		return a.next.RoundTrip(r)
	}
	a.mu.Lock()
	token := a.token
	a.mu.Unlock()
	if token == "" {
		token = given
	}
	first := r
	if token != given {
		first = withToken(r, token)
	}
	resp, err := a.next.RoundTrip(first)
	if err != nil || !refusesToken(resp) {
		return resp, err
	}
	tried := map[string]bool{token: true}
	for _, other := range a.endpoint.Tokens() {
		if tried[other] || other == "" {
			continue
		}
		tried[other] = true
		again := withToken(r, other)
		if r.Body != nil && r.Body != http.NoBody {
			if r.GetBody == nil {
				return resp, nil
			}
			if again.Body, err = r.GetBody(); err != nil {
				return resp, nil
			}
		}
		next, err := a.next.RoundTrip(again)
		if err != nil {
			return resp, nil // the refusal remains the answer
		}
		if refusesToken(next) {
			_ = next.Body.Close()
			continue
		}
		_ = resp.Body.Close()
		a.mu.Lock()
		a.token = other
		a.mu.Unlock()
		return next, nil
	}
	return resp, nil
}

// CloseIdleConnections lets http.Client close the connections of the transport.
func (a *authoriser) CloseIdleConnections() {
	if c, ok := a.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func withToken(r *http.Request, token string) *http.Request {
	c := r.Clone(r.Context())
	c.Header.Set("Authorization", bearer+token)
	return c
}

// refusesToken reports whether the collector itself refuses the token: captive portals and proxies
// use the same status. The body can still be read afterwards.
func refusesToken(resp *http.Response) bool {
	if resp.StatusCode != http.StatusUnauthorized {
		return false
	}
	body := resp.Body
	b, err := io.ReadAll(io.LimitReader(body, maxErrorBody))
	resp.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(b), body}
	if err != nil {
		return false
	}
	code := readError(b).Code
	return code == wire.CodeTokenInvalid || code == wire.CodeTokenReplaced
}

// TokenOf returns the token of a request; "" if it has none.
func TokenOf(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), bearer)
	return token
}

// IsToken reports whether s is a valid bearer token (RFC 6750 §2.1). An invalid one would be stored
// and fail in each later request.
func IsToken(s string) bool {
	return s != "" && len(s) <= maxTokenBytes && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// maxTokenBytes is far more than a token needs.
const maxTokenBytes = 1 << 10
