// Package livekit checks a LiveKit server: without a token, its readiness, and its
// signalling up to the request for a token; with the tokens of a test room, a voice from
// one participant to another.
package livekit

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report"
)

// System is LiveKit, including the one inside BigBlueButton and OpenTalk.
type System struct{}

// Name implements conference.System.
func (System) Name() string { return report.ProbeLiveKit }

// Recognises reports whether an address belongs to a LiveKit server: by its signalling
// path, or by its name.
func (System) Recognises(u *url.URL) bool {
	path := strings.TrimSuffix(u.Path, "/")
	return strings.HasSuffix(path, "/rtc") || strings.HasSuffix(path, "/rtc/v1") || strings.HasSuffix(path, "/livekit") ||
		u.Port() == "7880" || strings.Contains(u.Hostname(), "livekit")
}

// Base returns the address of the signalling, which may be below a path of a proxy.
func (System) Base(u *url.URL) *url.URL {
	path := strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/v1")
	return &url.URL{Scheme: visit.Web(u).Scheme, Host: u.Host, Path: strings.TrimSuffix(path, "/rtc") + "/rtc"}
}

// Detect reports whether the server at v is a LiveKit.
func (System) Detect(ctx context.Context, v *visit.Visit) bool {
	return validate(ctx, v).Status == report.StatusOK
}

// Check implements conference.System.
func (System) Check(ctx context.Context, v *visit.Visit) {
	signals := false
	var joining *earlyPair
	if v.Room != nil && !v.NoMedia {
		v.OpenAhead(ctx, 3) // for the signalling and the two participants
		joining = beginPair(ctx, v)
		defer joining.leave()
	}
	// The signalling does not depend on the other requests, nor does joining.
	early := v.Begin(ctx, report.StepSignalling, func(ctx context.Context) visit.Outcome { return signalling(ctx, v) })
	if v.Do(ctx, report.StepAPI, func(ctx context.Context) visit.Outcome { return api(ctx, v) }) {
		v.Data.Reachable = new(true)
		// The round trips are measured concurrently with the next steps, and end before the
		// sound, which uses the line.
		trips := v.Begin(ctx, report.StepRoundTrip, func(ctx context.Context) visit.Outcome {
			return v.RoundTrips(ctx, v.GetSeries(root(v), func(a *visit.Answer) bool { return a.Status < http.StatusInternalServerError }))
		})
		// With a token it may be open although it is not without one.
		signals = v.Finish(early) || v.Data.FailedStep == ""
		if signals && joining != nil {
			sound(ctx, v, trips, joining)
			return
		}
		v.Finish(trips)
	} else {
		early.Abandon()
		if joining != nil {
			joining.step.Abandon()
		}
		early.Wait()
		v.Skip(report.StepRoundTrip, visit.StepFailed)
		v.Skip(report.StepSignalling, visit.StepFailed)
	}
	switch rest := append([]report.ConferenceStep{report.StepSignIn}, mediaSteps...); {
	case v.NoMedia:
		v.SkipAll(visit.NoCall, rest...)
	case v.Room == nil && v.Data.FailedStep == "":
		v.SkipAll(visit.NeedsLink, rest...)
	default:
		v.SkipAll(visit.StepFailed, rest...)
	}
}

// root returns the base URL of the server.
func root(v *visit.Visit) *url.URL { return v.URL.JoinPath("..") }

// api requests whether the server is ready ("OK", 406 "Not Ready"), and whether it is a
// LiveKit.
func api(ctx context.Context, v *visit.Visit) visit.Outcome {
	var ready *visit.Answer
	var err error
	var valid visit.Outcome
	visit.Together(
		func() { ready, err = v.Get(ctx, root(v), nil) },
		func() { valid = validate(ctx, v) },
	)
	switch {
	case err != nil:
		return visit.Failed(err)
	case ready.Status == http.StatusNotAcceptable, ready.Status >= http.StatusInternalServerError:
		return visit.StatusFault(ready.Status)
	}
	return valid
}

// validate requests the validation of an empty token. Only LiveKit rejects that with
// its own text.
func validate(ctx context.Context, v *visit.Visit) visit.Outcome {
	a, err := v.Get(ctx, v.URL.JoinPath("validate"), nil)
	switch {
	case err != nil:
		return visit.Failed(err)
	case a.Status >= http.StatusInternalServerError:
		return visit.StatusFault(a.Status)
	case a.Status == http.StatusUnauthorized && isRefusal(a.Body):
		return visit.OK()
	}
	return visit.Fault("not_api")
}

// isRefusal recognises refusals of LiveKit's service (pkg/service/auth.go and
// errors.go).
func isRefusal(body []byte) bool {
	text := bytes.ToLower(body)
	return slices.ContainsFunc([]string{"permission", "token", "authorization", "room"}, func(word string) bool {
		return bytes.Contains(text, []byte(word))
	}) && !bytes.Contains(text, []byte("<html"))
}

// signalling opens the WebSocket without a token, which the server rejects with 401.
func signalling(ctx context.Context, v *visit.Visit) visit.Outcome {
	return v.TryWebSocket(ctx, v.URL)
}
