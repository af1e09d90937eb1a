package conference_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestStatusOfZoom: only a status that shows a working front end is good.
func TestStatusOfZoom(t *testing.T) {
	for status, want := range map[int]string{
		200: "ok ", 204: "ok ", 403: "ok 403", 405: "ok 405", 429: "ok 429",
		400: "fail 400", 401: "fail 401", 404: "fail 404", 410: "fail 410", 500: "fail 500", 501: "fail 501", 502: "fail 502", 503: "fail 503",
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
			defer s.Close()
			_, got := run(t, conference.Config{Address: s.URL, System: "zoom", RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, Direct: true})
			step, _ := got.Check(report.StepReach)
			if is := string(step.Status) + " " + step.Code; is != want || (got.Reachable != nil) != (want[:2] == "ok") {
				t.Errorf("got %q, reachable %v; want %q", is, got.Reachable, want)
			}
			trips, _ := got.Check(report.StepRoundTrip)
			if good := want[:2] == "ok"; (got.RTTMS != nil) != good || (trips.Status == report.StatusOK) != good {
				t.Errorf("got round trip %v, step %+v; want it measured: %v", got.RTTMS, trips, good)
			}
			if ports, _ := got.Check(report.StepPorts); ports.Status != report.StatusUnknown {
				t.Errorf("got ports %+v, want unknown", ports)
			}
		})
	}
}

// TestRedirectOfZoom: only a redirect to another host of Zoom's shows a working front end. A
// filter may redirect to its own page.
func TestRedirectOfZoom(t *testing.T) {
	for to, want := range map[string]string{
		"https://us02web.zoom.us/":  "ok ",
		"https://zoom-x.de/":        "ok ",
		"http://zoom.us/":           "fail redirected",
		"http://block.example/":     "fail redirected",
		"https://block.example/":    "fail redirected",
		"https://zoom.us.example/":  "fail redirected",
		"https://example/?zoom.us/": "fail redirected",
	} {
		t.Run(to, func(t *testing.T) {
			t.Parallel()
			address, roots := startTLS(t, http.RedirectHandler(to, http.StatusFound))
			_, got := run(t, conference.Config{Address: address, System: "zoom", RootCAs: roots, Direct: true})
			step, _ := got.Check(report.StepReach)
			if is := string(step.Status) + " " + step.Code; is != want || (got.Reachable != nil) != (want[:2] == "ok") {
				t.Errorf("got %q, reachable %v; want %q", is, got.Reachable, want)
			}
			trips, _ := got.Check(report.StepRoundTrip)
			if good := want[:2] == "ok"; (got.RTTMS != nil) != good || (trips.Status == report.StatusOK) != good {
				t.Errorf("got round trip %v, step %+v; want it measured: %v", got.RTTMS, trips, good)
			}
			if ports, _ := got.Check(report.StepPorts); ports.Status != report.StatusUnknown {
				t.Errorf("got ports %+v, want unknown", ports)
			}
		})
	}
}
