package visit

import (
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// atAddress is a connection to an address.
type atAddress struct {
	net.Conn
	remote string
}

func (c atAddress) RemoteAddr() net.Addr {
	a, _ := net.ResolveTCPAddr("tcp", c.remote)
	return a
}

// TestExplainPrivate: private addresses of a media server explain a missing path only to whoever
// is outside of its network and reaches a relay, or if there is none.
func TestExplainPrivate(t *testing.T) {
	const public = "192.0.2.1:443"
	reached, silent := []report.TURNRelay{{Allocated: new(false)}, {Allocated: new(true)}}, []report.TURNRelay{{Allocated: new(false)}, {}}
	for name, c := range map[string]struct {
		web     []string
		private bool
		relays  []report.TURNRelay
		code    string // of the path
		proxied bool
		want    string
	}{
		"no relay":                     {web: []string{public}, private: true, code: "no_path", want: CodePrivate},
		"a relay was reached":          {web: []string{public}, private: true, relays: reached, code: "no_path", want: CodePrivate},
		"no relay was reached":         {web: []string{public}, private: true, relays: silent, code: "no_path", want: "no_path"},
		"not only private":             {web: []string{public}, code: "no_path", want: "no_path"},
		"another reason":               {web: []string{public}, private: true, code: "hung_up", want: "hung_up"},
		"unknown address of the web":   {private: true, code: "no_path", want: "no_path"},
		"behind a proxy":               {web: []string{public}, private: true, code: "no_path", proxied: true, want: "no_path"},
		"a house network":              {web: []string{"192.168.1.2:443"}, private: true, code: "no_path", want: "no_path"},
		"this computer":                {web: []string{"[::1]:443"}, private: true, code: "no_path", want: "no_path"},
		"a shared network":             {web: []string{"100.64.0.1:443"}, private: true, code: "no_path", want: "no_path"},
		"a house network and a public": {web: []string{"192.168.1.2:443", public}, private: true, code: "no_path", want: "no_path"},
	} {
		v := New(Config{URL: &url.URL{Scheme: "https", Host: "media.example.org"}, Direct: true}, probetest.Env(t))
		t.Cleanup(v.Close)
		if c.proxied {
			v.web.transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "192.0.2.9:8080"})
		}
		for _, at := range c.web {
			v.web.noteAddress(atAddress{remote: at})
		}
		v.record(report.StepCall, OK(), 0)
		v.record(report.StepPath, Outcome{Status: report.StatusFail, Code: c.code, Elsewhere: "livekit.example.org"}, 0)
		v.Data.Relays = c.relays
		v.ExplainPrivate(c.private, c.relays != nil)
		step, _ := v.Data.Check(report.StepPath)
		if step.Code != c.want || v.Data.FailedCode != c.want || step.Host != "livekit.example.org" || v.Data.FailedHost != step.Host {
			t.Errorf("%s: got %+v, failed with %s at %s; want %s at livekit.example.org", name, step, v.Data.FailedCode, v.Data.FailedHost, c.want)
		}
	}
}
