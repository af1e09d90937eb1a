// Package zoom checks the public part of Zoom: its web front end. Its media protocol is
// not public, so sound cannot be tested.
package zoom

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report"
)

// System is Zoom.
type System struct{}

// Name implements conference.System.
func (System) Name() string { return report.ProbeZoom }

// Recognises reports whether a host is one of Zoom's.
func (System) Recognises(u *url.URL) bool {
	host := u.Hostname()
	for _, domain := range []string{"zoom.us", "zoom.com", "zoom-x.de"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}

// Base returns the front end. A pasted link contains the meeting's number and password.
func (System) Base(u *url.URL) *url.URL { return &url.URL{Scheme: "https", Host: u.Host, Path: "/"} }

// Detect returns false: the hosts are sufficient.
func (System) Detect(context.Context, *visit.Visit) bool { return false }

// judge returns the outcome for the status of the front end. Some statuses only refuse
// the request of a program that is not a browser; the code states that. A front end without
// a page, or with an error of its own, is a fault, and so is 501: every web server
// implements HEAD (RFC 9110 §9.1).
func judge(status int) visit.Outcome {
	switch {
	case status < http.StatusBadRequest:
		return visit.OK()
	case status == http.StatusForbidden, status == http.StatusMethodNotAllowed, status == http.StatusTooManyRequests:
		return visit.Outcome{Status: report.StatusOK, Code: strconv.Itoa(status)}
	}
	return visit.StatusFault(status)
}

// Check implements conference.System.
func (System) Check(ctx context.Context, v *visit.Visit) {
	reached := v.Do(ctx, report.StepReach, func(ctx context.Context) visit.Outcome {
		a, err := v.Ask(ctx, http.MethodHead, v.URL, nil, nil)
		var away *visit.RedirectError
		switch {
		// The front end redirects by country. A filter redirects to a page of its own.
		case errors.As(err, &away) && away.To.Scheme == "https" && (System{}).Recognises(away.To):
			return visit.OK()
		case err != nil:
			return visit.Failed(err)
		}
		return judge(a.Status)
	})
	if reached {
		v.Data.Reachable = new(true)
	}
	for _, step := range []report.ConferenceStep{report.StepSignalling, report.StepPath, report.StepSoundUp, report.StepSoundDown} {
		v.Skip(step, visit.Closed)
	}
}
