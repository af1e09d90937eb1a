package visit_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

func newVisit(t *testing.T) *visit.Visit {
	v := visit.New(visit.Config{URL: &url.URL{Scheme: "https", Host: "bbb.example.org:8443"}}, probetest.Env(t))
	t.Cleanup(v.Close)
	return v
}

func fails(o visit.Outcome) func(context.Context) visit.Outcome {
	return func(context.Context) visit.Outcome { return o }
}

// TestOtherHosts: a step names the host that it concerns if that is another one than the host of
// the check, and nothing that cannot be a host.
func TestOtherHosts(t *testing.T) {
	away := func(host string) visit.Outcome {
		return visit.Failed(fmt.Errorf("query: %w", &visit.RedirectError{To: &url.URL{Scheme: "https", Host: host, Path: "/secret"}}))
	}
	for _, c := range []struct {
		o    visit.Outcome
		want string
	}{
		{visit.Fault("timeout"), ""}, {away("BBB.example.org"), ""}, {away("bbb2.example.org:444"), "bbb2.example.org"},
		{away("b\u00fccher.example"), "xn--bcher-kva.example"}, {away("[2001:db8::1]"), "2001:db8::1"}, {away("a b"), ""}, {away(""), ""},
	} {
		v := newVisit(t)
		v.Do(t.Context(), report.StepAPI, fails(c.o))
		if got := v.Data.Checks[0].Host; got != c.want || v.Data.FailedHost != c.want {
			t.Errorf("%+v: got host %q and %q, want %q", c.o, got, v.Data.FailedHost, c.want)
		}
	}
	v := newVisit(t)
	v.URL = &url.URL{Scheme: "https", Host: "bbb2.example.org"} // as after a redirect that is followed
	v.Do(t.Context(), report.StepSignIn, fails(visit.Fault("refused")))
	if v.Data.FailedHost != "bbb2.example.org" {
		t.Errorf("got host %q, want that of the redirect", v.Data.FailedHost)
	}
	v.CallHost = "livekit.example.org"
	v.Do(t.Context(), report.StepCall, fails(visit.Fault("cut_off")))
	if step, _ := v.Data.Check(report.StepCall); step.Host != "livekit.example.org" {
		t.Errorf("got host %q, want that of the call", step.Host)
	}
	v.Data.FailedStep = ""
	v.Do(t.Context(), report.StepPath, fails(visit.Fault("no_path")))
	v.Explain("hung_up", report.StepPath)
	if step, _ := v.Data.Check(report.StepPath); step.Host != "bbb2.example.org" || v.Data.FailedHost != step.Host {
		t.Errorf("got host %q and %q, want that of the server that gave the reason", step.Host, v.Data.FailedHost)
	}
}

// TestMinorFaultsHideNone: a step without which a client can go on does not hide the fault of a
// later one.
func TestMinorFaultsHideNone(t *testing.T) {
	v := newVisit(t)
	v.Do(t.Context(), report.StepRoundTrip, fails(visit.Fault("404")))
	v.Do(t.Context(), report.StepRelay, fails(visit.Fault("500")))
	if v.Data.FailedStep != string(report.StepRoundTrip) {
		t.Errorf("got %s, want round_trip", v.Data.FailedStep)
	}
	v.Do(t.Context(), report.StepPath, fails(visit.Fault("no_path")))
	v.Do(t.Context(), report.StepKeys, fails(visit.Fault("no_keys")))
	if v.Data.FailedStep != string(report.StepPath) || v.Data.FailedCode != "no_path" {
		t.Errorf("got %s %s, want path no_path", v.Data.FailedStep, v.Data.FailedCode)
	}
}

// TestStoppedStepsProveNothing: what fails while the check is stopped, or its time ends, is not
// tested, unless the server responded with a number.
func TestStoppedStepsProveNothing(t *testing.T) {
	for code, want := range map[string]string{"no_path": "unknown no_time", "stopped": "unknown no_time", "timeout": "unknown no_time", "503": "fail 503"} {
		v := newVisit(t)
		ctx, stop := context.WithCancelCause(t.Context())
		v.Do(ctx, report.StepPath, func(context.Context) visit.Outcome { stop(errors.New("stopped")); return visit.Fault(code) })
		if step := v.Data.Checks[0]; string(step.Status)+" "+step.Code != want {
			t.Errorf("%s: got %s %s, want %s", code, step.Status, step.Code, want)
		}
	}
}

// TestNumbersOfAServer: a number that no system uses must not make a report invalid.
func TestNumbersOfAServer(t *testing.T) {
	for number, want := range map[int]string{503: "503", 0: "not_api", -458: "not_api"} {
		if got := visit.StatusFault(number).Code; got != want {
			t.Errorf("%d: got %s, want %s", number, got, want)
		}
	}
}
