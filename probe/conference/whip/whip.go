// Package whip checks a WHIP endpoint (RFC 9725) as far as that needs no token.
package whip

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
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

// Base returns the endpoint. Its query may be a secret.
func (System) Base(u *url.URL) *url.URL {
	return &url.URL{Scheme: visit.Web(u).Scheme, Host: u.Host, Path: u.Path}
}

// Detect reports nothing: an endpoint cannot be told without its path.
func (System) Detect(context.Context, *visit.Visit) bool { return false }

// Check implements conference.System.
func (System) Check(ctx context.Context, v *visit.Visit) {
	if v.Do(ctx, report.StepAPI, func(ctx context.Context) visit.Outcome { return options(ctx, v) }) {
		v.Data.Reachable = new(true)
		v.Do(ctx, report.StepSignIn, func(ctx context.Context) visit.Outcome { return signIn(ctx, v) })
	} else {
		v.Skip(report.StepSignIn, visit.StepFailed)
	}
	for _, step := range []report.ConferenceStep{report.StepPath, report.StepKeys, report.StepSoundUp} {
		v.Skip(step, visit.NeedsLink)
	}
}

const mediaType = "application/sdp"

// options asks what the endpoint accepts (RFC 9725 §4.2: Accept-Post). Servers that
// know no OPTIONS still answer with a status of their own.
func options(ctx context.Context, v *visit.Visit) visit.Outcome {
	a, err := v.Ask(ctx, http.MethodOptions, v.URL, nil, nil)
	switch {
	case err != nil:
		return visit.Fault(visit.FaultOf(err))
	case a.Status == http.StatusNotFound, a.Status >= http.StatusInternalServerError && a.Status != http.StatusNotImplemented:
		return visit.StatusFault(a.Status)
	case strings.Contains(a.Header.Get("Accept-Post"), mediaType), visit.SignedIn(a.Status), a.Status == http.StatusMethodNotAllowed:
		return visit.OK()
	}
	if kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type")); kind == "text/html" {
		return visit.Fault("not_api")
	}
	return visit.OK()
}

// signIn sends an empty offer: an endpoint that wants a token refuses it with 401
// before it reads the offer, and one that wants none with 400, 415 or 422.
func signIn(ctx context.Context, v *visit.Visit) visit.Outcome {
	a, err := v.Ask(ctx, http.MethodPost, v.URL, http.Header{"Content-Type": {mediaType}}, http.NoBody)
	switch {
	case err != nil:
		return visit.Fault(visit.FaultOf(err))
	case visit.SignedIn(a.Status):
		return visit.Untested(visit.NeedsLink)
	case a.Status >= http.StatusInternalServerError && a.Status != http.StatusNotImplemented, a.Status == http.StatusNotFound:
		return visit.StatusFault(a.Status)
	}
	return visit.OK()
}
