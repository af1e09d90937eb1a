package visit

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Request is a request of a step, for an administrator who tests a server. It contains no
// secret.
type Request struct {
	Step   report.ConferenceStep
	Method string // of HTTP, or WebSocket
	URL    string // without user and query; what may be a secret in the path is "…"
	Status int    // 0 without a response
	Took   time.Duration
}

type stepKey struct{}

// ofStep returns a context that names the step of its requests.
func ofStep(ctx context.Context, name report.ConferenceStep) context.Context {
	return context.WithValue(ctx, stepKey{}, name)
}

// note passes a request to Requested.
func (v *Visit) note(ctx context.Context, method string, at *url.URL, resp *http.Response, began time.Time) {
	if v.Requested == nil {
		return
	}
	step, _ := ctx.Value(stepKey{}).(report.ConferenceStep)
	r := Request{Step: step, Method: method, URL: v.withoutSecrets(at), Took: v.Env.Clock.Now().Sub(began)}
	if resp != nil {
		r.Status = resp.StatusCode
	}
	v.Requested(r)
}

// withoutSecrets returns an address as it may be shown. The path of the target is kept. In the
// rest of the path, parts that contain digits, such as the names of sessions, are replaced by
// "…"; after a redirect to another path, which may contain a token, all parts are.
func (v *Visit) withoutSecrets(at *url.URL) string {
	redirected := v.URL.Path != v.path
	kept := v.path
	rest, below := strings.CutPrefix(at.Path, kept)
	if !below {
		kept = ""
	}
	parts := strings.Split(rest, "/")
	for i, part := range parts {
		if redirected && part != "" || len(part) > 2 && strings.ContainsAny(part, "0123456789") {
			parts[i] = "…"
		}
	}
	return at.Scheme + "://" + at.Host + kept + strings.Join(parts, "/")
}
