package conference_test

import (
	"context"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference/bbb"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/conference/livekit"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestUnreachableWithAnInvitation: steps that wait for the connection of the API end with it if the
// server never answers, and the check does not use up its time.
func TestUnreachableWithAnInvitation(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewTLSServer(nil)
	t.Cleanup(untrusted.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never begins TLS
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	for name, c := range map[string]struct{ host, want string }{
		"closed port": {closed.Addr().String(), "fail refused"}, "untrusted certificate": {untrusted.Listener.Addr().String(), "fail certificate"},
		"silent": {silent.Addr().String(), "fail timeout"},
	} {
		for system, check := range map[string]func(context.Context, *visit.Visit){"bbb": bbb.System{}.Check, "livekit": livekit.System{}.Check} {
			t.Run(name+"/"+system, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				config := visit.Config{
					URL: &url.URL{Scheme: "https", Host: c.host, Path: "/bigbluebutton"}, RootCAs: x509.NewCertPool(), Direct: true,
					JoinLink: &url.URL{Scheme: "https", Host: c.host, Path: "/bigbluebutton/api/join", RawQuery: "checksum=1"},
				}
				if system == "livekit" {
					config.URL.Path, config.JoinLink, config.Room = "/rtc", nil, &wire.Room{}
				}
				v := visit.New(config, probetest.Env(t))
				defer v.Close()
				check(ctx, v)
				if ctx.Err() != nil {
					t.Error("the check waited until its time was over, want the end of the API step")
				}
				conferencetest.Want(t, v.Data, map[report.ConferenceStep]string{report.StepAPI: c.want, report.StepSignIn: "unknown step_before"})
			})
		}
	}
}
