//go:build linux

package conference_test

import (
	"log/slog"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// behindProxy returns the configuration for a server behind a proxy with TLS, as nginx is.
func behindProxy(t *testing.T, base, path string) conference.Config {
	t.Helper()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	address, roots := startTLS(t, proxy)
	return conference.Config{Address: address + path, RootCAs: roots, Direct: true}
}

// TestFarServer: the time limits of the steps suffice for a server with a round trip of
// 300 ms.
func TestFarServer(t *testing.T) {
	t.Parallel()
	systems := map[string]func(t *testing.T) conference.Config{
		"Janus over HTTP": func(t *testing.T) conference.Config {
			web, _ := janus(t, "")
			return behindProxy(t, web[:len(web)-len("/janus")], "/janus")
		},
		"Janus over WebSocket": func(t *testing.T) conference.Config {
			_, socket := janus(t, "")
			c := behindProxy(t, "http"+socket[len("ws"):len(socket)-len("/janus")], "/janus")
			c.Address = "wss" + c.Address[len("https"):]
			return c
		},
		"LiveKit": func(t *testing.T) conference.Config {
			c := behindProxy(t, liveKit(t, bothTransports(t)), "/rtc")
			c.System, c.Room = "livekit", room(t)
			return c
		},
		"WHIP": func(t *testing.T) conference.Config {
			e := &whipEndpoint{}
			e.start(t)
			return conference.Config{Address: e.address, RootCAs: e.roots, Direct: true}
		},
	}
	for _, rtt := range conferencetest.RoundTrips(t) {
		for name, start := range systems {
			t.Run(name+" at "+rtt.String(), func(t *testing.T) {
				t.Parallel()
				c, e := start(t), probetest.Env(t)
				e.Net = conferencetest.Far(e.Net, rtt)
				p, err := conference.Find(t.Context(), c, e)
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				r, err := p.Run(t.Context(), e)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%.1f s", time.Since(began).Seconds())
				got := r.Data.(*report.Conference)
				conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepSignIn: "ok", report.StepPath: "ok", report.StepSoundUp: "ok"})
				for _, c := range got.Checks {
					if c.MS != nil {
						t.Logf("%s %s %s %.0f ms", c.Name, c.Status, c.Code, *c.MS)
					}
				}
			})
		}
	}
}
