package web

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// mapped is a network in which some addresses are mapped to this computer; others
// refuse at once.
type mapped struct {
	transport.Net
	ports map[string]string // by address and port
}

func (m mapped) CreateDialer(d *net.Dialer) transport.Dialer { return mappedDialer{d, m.ports} }

// swallowed is a target that drops packets, like a firewall that does not reject.
const swallowed = "swallowed"

type mappedDialer struct {
	*net.Dialer
	ports map[string]string
}

func (d mappedDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	to, ok := d.ports[address]
	switch {
	case !ok:
		to = "127.0.0.1:1"
	case to == swallowed:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return d.Dialer.DialContext(ctx, network, to)
}

// TestPortalThatRefusesEncryptedPages: one sign on port 80 may be the server
// itself; a portal requires a second one, at an address that is not in use.
func TestPortalThatRefusesEncryptedPages(t *testing.T) {
	login := testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://login.hotel.example/", http.StatusFound)
	})
	page := testnet.Server(t, ok)
	transparent := testnet.Server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	here := func(s string) string { return strings.TrimPrefix(s, "http://") }
	for name, c := range map[string]struct {
		ports map[string]string
		want  bool
	}{
		"redirects all to the login": {map[string]string{farAway + ":80": here(login.URL), "192.0.2.1:80": here(login.URL)}, true},
		"shows the login for all":    {map[string]string{farAway + ":80": here(page.URL), "192.0.2.1:80": here(page.URL)}, true},
		"only the server's port 80":  {map[string]string{farAway + ":80": here(login.URL)}, false},
		"a transparent proxy":        {map[string]string{farAway + ":80": here(login.URL), "192.0.2.1:80": here(transparent.URL)}, false},
		"no response":                {nil, false},
	} {
		config := direct("https", closed(t), nil)
		config.URL, config.Resolver, config.plainPort = "https://"+host+"/", testnet.Names{host: {farAway}}, "80"
		env := probetest.Env(t)
		env.Net = mapped{env.Net, c.ports}
		d, r := run(t, config, env)
		if got := d.CaptivePortal != nil && *d.CaptivePortal; got != c.want || d.CaptivePortal != nil && !*d.CaptivePortal {
			t.Errorf("%s: got %+v, %+v; want portal %v", name, r, d, c.want)
		}
	}
}

// TestCertificateFaultBehindAWildcardHost tests the same certificate faults at a
// server whose port 80 answers everything, and behind a login page, which also
// answers for addresses that are not in use.
func TestCertificateFaultBehindAWildcardHost(t *testing.T) {
	ca, stranger := newAuthority(t, "town"), newAuthority(t, "somebody")
	now := time.Now()
	page := strings.TrimPrefix(testnet.Server(t, ok).URL, "http://")
	for fault, cert := range map[string]tls.Certificate{
		"untrusted":  stranger.good(t),
		"wrong_name": ca.sign(t, "other.example", now.AddDate(0, -1, 0), now.AddDate(0, 1, 0)),
		"expired":    ca.sign(t, host, now.AddDate(0, -3, 0), now.AddDate(0, -1, 0)),
	} {
		for _, inBetween := range []bool{false, true} {
			s := secure(t, cert, ok)
			ports := map[string]string{farAway + ":443": s.Listener.Addr().String(), farAway + ":80": page}
			if inBetween {
				ports["192.0.2.1:80"] = page
			}
			config := direct("https", s, ca)
			config.URL, config.Resolver, config.plainPort = "https://"+host+"/", testnet.Names{host: {farAway}}, "80"
			env := probetest.Env(t)
			env.Net = mapped{env.Net, ports}
			d, r := run(t, config, env)
			portal := d.CaptivePortal != nil && *d.CaptivePortal
			if d.TLSError != fault || portal != (inBetween && fault != "expired") || r.Status != report.StatusFail {
				t.Errorf("%s, in between %t: got %+v, %+v, want this fault, a portal %t", fault, inBetween, r, d, inBetween && fault != "expired")
			}
		}
	}
}

func TestFalseNameServers(t *testing.T) {
	router := netip.MustParseAddr("192.168.178.1")
	for name, c := range map[string]struct {
		says string
		want string
	}{
		"unspecified":                 {"0.0.0.0", "false"},
		"unspecified, IPv6":           {"::", "false"},
		"the home router":             {"192.168.178.1", "false"},
		"a private address":           {"192.168.178.7", ""}, // possibly behind a tunnel
		"an address that is not ours": {farAway, ""},
	} {
		config := direct("https", closed(t), nil)
		config.Resolver = testnet.Names{host: {c.says}}
		config.Router = func(context.Context) netip.Addr { return router }
		env := probetest.Env(t)
		env.Net = mapped{Net: env.Net}
		d, r := run(t, config, env)
		if d.DNSError != c.want || (c.want != "") != (d.Stage == "") || (c.want != "") != (r.Status == report.StatusFail) {
			t.Errorf("%s: got %+v, %+v; want DNS error %q", name, r, d, c.want)
		}
	}
	// The address of the router is not false if the router is the server, as on a
	// test network.
	ca := newAuthority(t, "town")
	config := direct("https", secure(t, ca.good(t), ok), ca)
	config.Router = func(context.Context) netip.Addr { return netip.MustParseAddr("127.0.0.1") }
	if d, r := run(t, config, probetest.Env(t)); r.Status != report.StatusOK || d.DNSError != "" {
		t.Errorf("got %+v, %+v; want status ok without a DNS error", r, d)
	}
}

func TestOfferedProxy(t *testing.T) {
	const script = `function FindProxyForURL(url, host) { return "PROXY proxy.town.example:3128; DIRECT"; }`
	serve := func(path, body string) string {
		s := testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path {
				http.NotFound(w, r)
				return
			}
			_, _ = io.WriteString(w, body)
		})
		return strings.TrimPrefix(s.URL, "http://")
	}
	endless := strings.TrimPrefix(testnet.Server(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}).URL, "http://")
	for name, c := range map[string]struct {
		at   string
		want bool
	}{
		"a proxy":            {serve("/wpad.dat", script), true},
		"always direct":      {serve("/wpad.dat", `function FindProxyForURL(url, host) { return "DIRECT"; }`), false},
		"a web page":         {serve("/wpad.dat", "<html>PROXY a:1</html>"), false},
		"not there":          {serve("/other", script), false},
		"never ends":         {endless, false},
		"connection refused": {"127.0.0.1:1", false},
	} {
		for _, fails := range []bool{true, false} {
			ca := newAuthority(t, "town")
			target := secure(t, ca.good(t), ok)
			config := direct("https", target, ca)
			config.URL, config.plainPort = "https://"+host+"/", "80"
			config.Resolver = testnet.Names{host: {farAway}, "wpad": {"192.168.1.5"}}
			ports := map[string]string{"192.168.1.5:80": c.at}
			if !fails {
				ports[farAway+":443"] = target.Listener.Addr().String()
			}
			env := probetest.Env(t)
			env.Net = mapped{env.Net, ports}
			d, r := run(t, config, env)
			if got := d.ProxyOffered != nil; got != (c.want && fails) || got && (!*d.ProxyOffered || r.Status != report.StatusFail) {
				t.Errorf("%s, direct fails %v: got %+v, %+v, want a proxy offered %t", name, fails, r, d, c.want && fails)
			}
		}
	}
}

// TestProxyWithoutOtherSigns: a firewall that drops packets uses up the time of all
// other signs; the proxy that the network offers is found anyway.
func TestProxyWithoutOtherSigns(t *testing.T) {
	script := testnet.Server(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `function FindProxyForURL(url, host) { return "PROXY proxy.town.example:3128"; }`)
	})
	config := direct("https", testnet.Server(t, ok), newAuthority(t, "town"))
	config.URL, config.plainPort, config.StepTime = "https://"+host+"/", "80", 300*time.Millisecond
	config.Resolver = testnet.Names{host: {farAway}, "wpad": {"192.168.1.5"}}
	env := probetest.Env(t)
	env.Net = mapped{env.Net, map[string]string{
		farAway + ":443": swallowed, farAway + ":80": swallowed, adapter.Anywhere().String() + ":80": swallowed,
		"192.168.1.5:80": strings.TrimPrefix(script.URL, "http://"),
	}}
	if d, r := run(t, config, env); d.ProxyOffered == nil || !*d.ProxyOffered || r.Status != report.StatusFail {
		t.Errorf("got %+v, %+v; want status fail and an offered proxy", r, d)
	}
}

// families is a resolver that is silent for IPv6, or has no address.
type families struct{ six error }

func (f families) LookupNetIP(ctx context.Context, network, _ string) ([]netip.Addr, error) {
	if network == "ip6" {
		return nil, f.six
	}
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

func TestNameServerSilentForIPv6(t *testing.T) {
	for name, c := range map[string]struct {
		six  error
		want bool
	}{
		"silent":   {&net.DNSError{Err: "i/o timeout", IsTimeout: true}, true},
		"has none": {&net.DNSError{Err: "no such host", IsNotFound: true}, false},
		"broken":   {&net.DNSError{Err: "server misbehaving"}, false},
		"has one":  {nil, false},
	} {
		config := direct("http", testnet.Server(t, ok), nil)
		config.Resolver = families{c.six}
		if d, r := run(t, config, probetest.Env(t)); r.Status != report.StatusOK || d.DNSSilent6 == nil || *d.DNSSilent6 != c.want {
			t.Errorf("%s: got %+v, %+v; want silent for IPv6: %v", name, r, d, c.want)
		}
	}
}
