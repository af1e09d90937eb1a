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
	"time"

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

// The responses of the front end have headers of several kilobytes. With these limits the
// series stays within the bandwidth of a check.
const (
	requests = 4
	gap      = 300 * time.Millisecond
)

// Check implements conference.System.
func (System) Check(ctx context.Context, v *visit.Visit) {
	request := func(ctx context.Context) (visit.Outcome, error) { return ask(ctx, v) }
	reached := v.Do(ctx, report.StepReach, func(ctx context.Context) visit.Outcome {
		o, _ := ask(ctx, v) // o contains the error
		return o
	})
	if reached {
		v.Data.Reachable = new(true)
		v.Do(ctx, report.StepRoundTrip, func(ctx context.Context) visit.Outcome {
			return v.RoundTrips(ctx, visit.Series{Ask: request, Requests: requests, Gap: gap})
		})
		v.Do(ctx, report.StepPorts, func(ctx context.Context) visit.Outcome { return tryPorts(ctx, v) })
	} else {
		v.SkipAll(visit.StepFailed, report.StepRoundTrip, report.StepPorts)
	}
	v.SkipAll(visit.Closed, report.StepSignalling, report.StepPath, report.StepSoundUp, report.StepSoundDown)
}

// ask requests the headers of the front end.
func ask(ctx context.Context, v *visit.Visit) (visit.Outcome, error) {
	a, err := v.Ask(ctx, http.MethodHead, v.URL, nil, nil)
	var away *visit.RedirectError
	switch {
	// The front end redirects by country. A filter redirects to a page of its own.
	case errors.As(err, &away) && away.To.Scheme == "https" && (System{}).Recognises(away.To):
		return visit.OK(), nil
	case err != nil:
		return visit.Failed(err), err
	}
	return judge(a.Status), nil
}
