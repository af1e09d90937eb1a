// Package whip checks a WHIP endpoint (RFC 9725): it sends a voice to it like a client.
// Such an endpoint returns no sound. Tonprobe's own reflector does, and is measured in
// both directions.
package whip

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// System is any WHIP endpoint.
type System struct{}

// Name implements conference.System.
func (System) Name() string { return report.ProbeWHIP }

// Recognises reports whether a path is that of an endpoint: "whip" is one of its parts.
func (System) Recognises(u *url.URL) bool {
	return slices.Contains(strings.Split(strings.ToLower(u.Path), "/"), "whip")
}

// Base returns the endpoint without its query, which may be a secret.
func (System) Base(u *url.URL) *url.URL {
	return &url.URL{Scheme: visit.Web(u).Scheme, Host: u.Host, Path: u.Path}
}

// Detect returns false: an endpoint cannot be detected without its path.
func (System) Detect(context.Context, *visit.Visit) bool { return false }

// Check implements conference.System.
func (System) Check(ctx context.Context, v *visit.Visit) {
	var about endpoint
	reached := v.Do(ctx, report.StepAPI, func(ctx context.Context) (o visit.Outcome) {
		about, o = options(ctx, v)
		return o
	})
	if reached {
		v.Data.Reachable = new(true)
	}
	switch {
	case !reached:
		v.Skip(report.StepSignIn, visit.StepFailed)
		v.SkipMedia(visit.StepFailed)
	case v.NoMedia:
		v.Skip(report.StepSignIn, visit.NoCall)
		v.SkipMedia(visit.NoCall)
	case about.echo:
		toEcho(ctx, v, about)
	default:
		toEndpoint(ctx, v, about)
	}
}

// endpoint contains what an endpoint reports before a call.
type endpoint struct {
	echo    bool // it is Tonprobe's own and returns the sound
	servers relaytest.List
}

// options requests what the endpoint accepts (RFC 9725 §4.2, Accept-Post) and its STUN and
// TURN servers (§4.6). Servers that do not know OPTIONS respond with a status of their own.
func options(ctx context.Context, v *visit.Visit) (endpoint, visit.Outcome) {
	a, err := v.Ask(ctx, http.MethodOptions, v.URL, authorized(v.Token), nil)
	var away *visit.RedirectError
	switch {
	case errors.As(err, &away) && away.To.Scheme == v.URL.Scheme:
		return endpoint{}, visit.Outcome{Status: report.StatusOK, Code: otherHost, Elsewhere: away.To.Hostname()} // the offer is redirected too
	case err != nil:
		return endpoint{}, visit.Failed(err)
	case a.Status == http.StatusNotFound, a.Status == http.StatusGone, a.Status >= http.StatusInternalServerError && a.Status != http.StatusNotImplemented:
		return endpoint{}, visit.StatusFault(a.Status)
	}
	e := endpoint{echo: a.Header.Get(wire.HeaderEcho) == wire.EchoValue, servers: parseLinks(a.Header.Values("Link"))}
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	isOther := kind == "text/html" && !strings.Contains(a.Header.Get("Accept-Post"), wire.MediaTypeSDP) &&
		!visit.SignedIn(a.Status) && a.Status != http.StatusMethodNotAllowed
	if isOther {
		return endpoint{}, visit.Fault("not_api")
	}
	return e, visit.OK()
}

func authorized(token string) http.Header {
	if token == "" {
		return nil
	}
	return http.Header{"Authorization": {"Bearer " + token}}
}

// call is a connection of either kind.
type call interface {
	visit.Call
	Offer(ctx context.Context) (string, error)
	Close()
}

// talk makes the call: the exchange of offer and answer is the sign-in. It always ends the
// session. accept applies the answer.
func talk(ctx context.Context, v *visit.Visit, about endpoint, c call, s *session, accept func(sdp string) error) {
	defer c.Close()
	defer s.leave(ctx)
	signedIn := v.Do(ctx, report.StepSignIn, func(ctx context.Context) visit.Outcome {
		offer, err := c.Offer(ctx)
		if err != nil {
			return visit.Untested(noWebRTC)
		}
		return s.open(ctx, offer)
	})
	if !signedIn {
		why := visit.StepFailed
		if step, _ := v.Data.Check(report.StepSignIn); step.Code == visit.NeedsLink {
			why = visit.NeedsLink
		}
		v.SkipMedia(why)
		return
	}
	about.servers = merged(about.servers, s.servers)
	v.Skip(report.StepRelay, visit.StepFailed) // reserves its position; Record replaces it
	relays := relaytest.Start(ctx, v, about.servers, relaytest.MediaAddress(s.answer))
	v.Media(ctx, c, func(context.Context) visit.Outcome {
		if accept(s.answer) != nil {
			return visit.Fault("bad_answer")
		}
		return visit.OK()
	})
	relays.Record()
	v.ExplainPrivate(relaytest.OnlyPrivate(s.answer), about.servers.HasTURN())
}

const noWebRTC = "no_webrtc"
