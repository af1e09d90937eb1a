// Package web measures the connection to a web server step by step: name, address,
// connection, encryption, response. The first step that fails identifies the fault:
// a name server, a proxy, a captive portal, a certificate, the clock of this
// computer, or the server.
package web

import (
	"context"
	"crypto/x509"
	"net/netip"
	"net/url"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/network/proxy"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// Time limits. A healthy line needs 0.3 s in total; three steps that time out one after the other
// still end within a check.
const (
	stepTime   = 3 * time.Second
	portalTime = 2 * time.Second
)

// Config configures network.web.
type Config struct {
	// URL is the server's address: http, https, ws or wss.
	URL string
	// AddressFrom is who named that address; see [report.NetworkWeb].
	AddressFrom string
	// RootCAs are the trusted authorities; nil means the system's.
	RootCAs *x509.CertPool
	// Proxies returns the proxies for a URL in order of preference, nil for a
	// direct connection. Without it the environment and the system's settings are
	// used.
	Proxies func(context.Context, *url.URL) ([]*url.URL, error)
	// Resolver resolves names; nil means the system's.
	Resolver lookup.Resolver
	// Built is the build time of this program, a lower bound of the present time. Zero means unknown.
	Built time.Time
	// NameServers provide details of a name that is not found; nil means the system's if Resolver
	// is nil, otherwise none.
	NameServers lookup.NameServers
	// CollectorURL is the collector's address, and Pins its known keys; nil if none are known.
	CollectorURL string
	Pins         *trust.Pins
	// WebSocketURL is where the collector accepts WebSockets and returns a message; "" omits the
	// test.
	WebSocketURL string
	// Token returns the token that authorises the test of WebSockets; "" if there is
	// none. nil means none.
	Token func(context.Context) string
	// Router returns this computer's next router; nil asks the system.
	Router func(context.Context) netip.Addr
	// StepTime limits each step; 0 means 3 s. NameTime limits the look-up; 0 means StepTime if that
	// is set, otherwise 6.5 s.
	StepTime, NameTime time.Duration

	plainPort string // port for captive portals; "80" except in tests
}

// The phases of network.web (see [probe.Phase]).
const (
	// PhaseConnect is one connection with its encryption and its request, which
	// together are as much as a slow line carries in a second. The name lookup
	// precedes it: later it would get the answer to another probe's query, and slow
	// name servers would seem fast.
	PhaseConnect = "connect"
	// PhaseWebSocket is the second half, whose connections are further PhaseConnects.
	PhaseWebSocket = "websocket"
)

// New returns the probe "network.web". Its data is a *report.NetworkWeb.
func New(c Config) probe.Probe {
	if c.Resolver == nil {
		c.Resolver = lookup.System()
		if c.NameServers == nil {
			c.NameServers = lookup.SystemNameServers{}
		}
	}
	if c.NameTime == 0 {
		c.NameTime = c.StepTime
	}
	if c.NameTime == 0 {
		c.NameTime = nameTime
	}
	if c.Router == nil {
		c.Router = routerOf
	}
	if c.StepTime == 0 {
		c.StepTime = stepTime
	}
	if c.plainPort == "" {
		c.plainPort = "80"
	}
	return web{c}
}

type web struct{ Config }

func (web) Name() string { return report.ProbeNetworkWeb }

// Phases implements probe.Phased.
func (web) Phases() []string {
	return []string{PhaseConnect, PhaseWebSocket}
}

func (web) Version() int { return 2 }

// Run performs the steps and reports the last successful one.
func (p web) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	data := &report.NetworkWeb{AddressFrom: p.AddressFrom}
	target, ok := origin.Page(p.URL)
	if !ok {
		return probe.Result{Status: report.StatusUnknown, Note: "no web address is configured", Data: data}, nil
	}
	if p.Proxies == nil {
		p.Proxies = proxy.NewFinder(proxy.Config{Dial: env.Dial, Resolver: p.Resolver, Now: env.Clock.Now}).Find
	}
	j := &journey{Config: p.Config, env: env, data: data, target: target, began: env.Clock.Now()}
	defer j.close()
	_ = j.take(ctx, j.chooseProxy) && j.reach(ctx) && j.take(ctx, j.throughProxy, j.encrypt, j.request)
	j.leave()
	dead := j.lookForDeadServer(ctx)
	j.detectWebServer()
	j.judgeCertificate(ctx)
	j.confirmClock(ctx)
	j.locateFault(ctx)
	j.trySmallPackets(ctx)
	j.tryBesideProxy(ctx)
	j.tryWithoutProxy(ctx)
	j.askForIPv6(ctx)
	j.tryWebSocket(ctx)
	data.DNSServerSilent = <-dead
	return judge(data), nil
}

// step is one step of a journey; it reports whether the next one can follow.
type step func(context.Context) bool

// take performs steps as long as they succeed, each within its time limit.
func (j *journey) take(ctx context.Context, steps ...step) bool {
	for _, s := range steps {
		if !j.within(ctx, j.StepTime, s) {
			return false
		}
	}
	return true
}

func (j *journey) within(ctx context.Context, most time.Duration, s step) bool {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return s(ctx)
}

// locateFault collects the evidence for the origin of a failure.
func (j *journey) locateFault(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, min(portalTime, j.StepTime))
	defer cancel()
	// Concurrently: on a dead line each takes its whole time.
	offered, doubt := j.findOfferedProxy(ctx), j.verifyName(ctx)
	j.explainName(ctx)
	j.lookForPortal(ctx)
	if kind := <-doubt; j.data.CaptivePortal == nil {
		j.detectDNSHijack(ctx)
		if j.data.DNSError == "" && kind != "" {
			j.data.DNSError, j.data.Stage, j.data.TLSError = kind, "", ""
		}
	}
	if <-offered && j.data.CaptivePortal == nil {
		j.data.ProxyOffered = new(true)
	}
	j.judgeOnline()
}

// judge derives the status of the probe from the results.
func judge(d *report.NetworkWeb) probe.Result {
	is := func(b *bool, want bool) bool { return b != nil && *b == want }
	r := probe.Result{Status: report.StatusUnknown, Data: d}
	switch {
	case is(d.CaptivePortal, true), is(d.Online, false), d.TLSError != "", is(d.ServerHealthy, false),
		d.DNSError != "" && d.DNSError != dnsTimeout && d.DNSError != dnsOther, is(d.ProxyOffered, true), d.ProxyFault != "" && d.Stage != stageHTTP, d.HTTPStatus != nil && *d.HTTPStatus == proxyAuthRequired:
		r.Status = report.StatusFail
	case d.Stage == stageHTTP && is(d.ServerHealthy, true):
		r.Status = report.StatusOK
	default:
		r.Note = noteOf(d)
	}
	return r
}

// noteOf describes where the attempt ended. It contains no names: the target is part of the report,
// and the name of a proxy is private.
func noteOf(d *report.NetworkWeb) string {
	switch {
	case d.DNSError != "":
		return "the server's name could not be looked up"
	case d.Stage == stageHTTP:
		return "it is not certain that the server itself answered"
	case d.HTTPStatus != nil:
		return "the proxy did not connect to the server"
	case d.Stage == "":
		return "the test was stopped"
	case d.Stage == stageDNS:
		return "no connection to the server could be established"
	}
	return "the server accepted the connection and did not answer"
}
