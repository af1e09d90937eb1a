package whip

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Codes of the sign-in.
const (
	otherHost    = "other_host"
	tokenRefused = "token_refused"
	noLocation   = "no_location"
)

const (
	// maxRetryAfter is the maximum Retry-After (RFC 9110 §10.2.3) to wait for.
	maxRetryAfter = time.Second
	// leaveTime limits the time to end the session.
	leaveTime = time.Second
	// maxAnswerBytes is far more than the answer to an offer of one stream needs.
	maxAnswerBytes = 64 << 10
)

// session is a WHIP session.
type session struct {
	v        *visit.Visit
	token    string
	location *url.URL // nil before the session and after its end
	answer   string
	took     time.Duration // of the endpoint's response
	servers  relaytest.List
}

// open offers the stream (RFC 9725 §4.2).
func (s *session) open(ctx context.Context, offer string) visit.Outcome {
	good := visit.OK()
	began := s.v.Env.Clock.Now()
	a, err := s.post(ctx, s.v.URL, offer)
	var away *visit.RedirectError
	// Endpoints distribute their load by redirects (RFC 9725 §4.5). The token is for the
	// first host, as in browsers.
	if errors.As(err, &away) && away.To.Scheme == s.v.URL.Scheme {
		s.token, good.Code = "", otherHost
		s.v.URL = &url.URL{Scheme: away.To.Scheme, Host: away.To.Host, Path: away.To.Path}
		a, err = s.post(ctx, away.To, offer)
	}
	s.took = s.v.Env.Clock.Now().Sub(began)
	if err != nil {
		return visit.Failed(err)
	}
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	switch {
	case visit.SignedIn(a.Status) && s.token != "":
		return visit.Fault(tokenRefused)
	case visit.SignedIn(a.Status):
		return visit.Untested(visit.NeedsLink)
	case a.Status == http.StatusOK && kind == "text/html":
		return visit.Fault("not_api")
	case a.Status != http.StatusCreated:
		return visit.StatusFault(a.Status)
	}
	s.servers = parseLinks(a.Header.Values("Link"))
	s.location = sessionURL(a)
	if s.location == nil {
		good.Code = noLocation
	}
	if kind != wire.MediaTypeSDP || len(a.Body) > maxAnswerBytes {
		return visit.Fault("not_api")
	}
	s.answer = string(a.Body)
	return good
}

// post sends the offer, and repeats it after a short Retry-After.
func (s *session) post(ctx context.Context, at *url.URL, offer string) (*visit.Answer, error) {
	header := http.Header{"Content-Type": {wire.MediaTypeSDP}}
	for name, values := range authorized(s.token) {
		header[name] = values
	}
	ask := func() (*visit.Answer, error) {
		ctx, cancel := withLeaveTime(ctx)
		defer cancel()
		return s.v.Ask(ctx, http.MethodPost, at, header, strings.NewReader(offer))
	}
	a, err := ask()
	if err != nil || a.Status != http.StatusServiceUnavailable && a.Status != http.StatusTooManyRequests {
		return a, err
	}
	seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if wait := time.Duration(seconds) * time.Second; err != nil || wait < 0 || wait > maxRetryAfter || s.v.Env.Clock.Sleep(ctx, wait) != nil {
		return a, nil
	}
	return ask()
}

// withLeaveTime returns a context with the deadline of ctx that is cancelled leaveTime
// after ctx is: an offer that was already sent may have opened a session, whose address
// is only known from the response.
func withLeaveTime(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if at, ok := ctx.Deadline(); ok {
		longer, cancel = context.WithDeadline(context.WithoutCancel(ctx), at)
	}
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(leaveTime, cancel) })
	return longer, func() { stop(); cancel() }
}

// sessionURL returns the Location of a session; nil if there is no usable one. The token is
// sent to the responding host only.
func sessionURL(a *visit.Answer) *url.URL {
	text := a.Header.Get("Location")
	at, err := a.URL.Parse(text)
	if err != nil || text == "" || at.Scheme != a.URL.Scheme || at.Host != a.URL.Host {
		return nil
	}
	return at
}

// leave ends the session (RFC 9725 §4.2, DELETE), even if ctx is cancelled.
func (s *session) leave(ctx context.Context) {
	_, _ = s.end(context.WithoutCancel(ctx))
}

// end ends the session once and returns the body of the endpoint's response. After a
// cancellation the endpoint may still have the session: it is ended by leave.
func (s *session) end(ctx context.Context) ([]byte, error) {
	at := s.location
	if at == nil {
		return nil, errors.New("there is no session")
	}
	s.location = nil
	limited, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	a, err := s.v.Ask(limited, http.MethodDelete, at, authorized(s.token), nil)
	if err != nil {
		if ctx.Err() != nil {
			s.location = at
		}
		return nil, fmt.Errorf("end the session: %s", report.ErrorText(err))
	}
	if a.Status != http.StatusOK {
		return nil, fmt.Errorf("end the session: status %d", a.Status)
	}
	return a.Body, nil
}
