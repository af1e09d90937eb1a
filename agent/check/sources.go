package check

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/network/proxy"
	"github.com/tonprobe/tonprobe/probe/network/trust"
)

// sources contains the servers that the probes measure to.
type sources struct {
	webURL  string // "" when no address is known
	webFrom string // who named it; see [report.NetworkWeb]
	// proxies is shared by network.web and the connections to the collector, so that a
	// proxy script is fetched once.
	proxies   *proxy.Finder
	rootCAs   *x509.CertPool
	ice       iceFunc         // nil without a collector
	signaller media.Signaller // nil without a collector
	// collector, token, transport and pins are set if and only if signaller is.
	collector *url.URL
	token     func(context.Context) string
	transport *http.Transport
	pins      *trust.Pins
}

// sources determines the servers that the probes measure to.
func (o Options) sources(ctx context.Context) (sources, error) {
	s := sources{
		webURL: conference.WebAddress(o.Target), webFrom: "participant",
		proxies: proxy.NewFinder(proxy.Config{Resolver: lookup.System()}),
	}
	if o.targetSystem != "" { // the collector named it
		s.webFrom = "municipality"
	}
	if o.Collector == nil {
		return s, nil
	}
	base, err := o.Collector.Base()
	if err != nil {
		return s, fmt.Errorf("measure against the collector: %w", err)
	}
	return s.withCollector(ctx, o.Collector, base), nil
}

// withCollector adds the collector's reflector, and uses the collector as the web
// server to test if there is no other. It adds no reflector without a token: the
// reflector would refuse the request, which must not look like a fault of the line.
func (s sources) withCollector(ctx context.Context, c *Collector, base *url.URL) sources {
	s.rootCAs = c.RootCAs
	if s.webURL == "" {
		s.webURL, s.webFrom = base.String(), "collector"
	}
	if !c.Enrolled() {
		return s
	}
	shared := *c
	shared.Proxies = s.proxies
	s.collector, s.transport, s.pins = base, shared.Transport(), c.Pins
	signaller := &media.HTTPSignaller{Base: base, Token: c.Token, Client: shared.Client()}
	s.ice = iceFunc(signaller.ICE).once(ctx)
	s.signaller = sharedICE{signaller, s.ice}
	s.token = s.measureToken(c.Token)
	return s
}

// measureToken returns a function that returns the token for measurements over connections
// of their own: the agent's token own. If own is "" (only the service has the agent's token),
// it is the collector's measurement token.
func (s sources) measureToken(own string) func(context.Context) string {
	return func(ctx context.Context) string {
		if own != "" {
			return own
		}
		servers, err := s.ice(ctx)
		if err != nil {
			return ""
		}
		return servers.MeasureToken
	}
}

// sharedICE is a signaller that gets the ICE servers by the shared request.
type sharedICE struct {
	media.Signaller
	ice iceFunc
}

func (s sharedICE) ICE(ctx context.Context) (wire.ICEConfig, error) { return s.ice(ctx) }

// proxy returns the proxy function for the collector's relays. It is the one used
// for the collector itself, whose results are cached.
func (s sources) proxy() func(*http.Request) (*url.URL, error) {
	if s.transport == nil {
		return nil
	}
	return s.transport.Proxy
}

// webPort returns the port in the collector's address; 0 if it has none.
func (s sources) webPort() int {
	if s.collector == nil {
		return 0
	}
	port, err := strconv.Atoi(s.collector.Port())
	if err != nil {
		return 0
	}
	return port
}

// builtAt returns the commit time of this program's sources; zero if the build did
// not record it.
func builtAt() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, s := range info.Settings {
		if at, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
			return at
		}
	}
	return time.Time{}
}

// noWebReason returns why there is no web server to test; "" if there is one.
func (s sources) noWebReason() string {
	if s.webURL == "" {
		return "no address to test: neither a target nor a collector is known"
	}
	return ""
}

// noCollectorReason returns why nothing can be measured against the collector; "" if it
// can.
func (s sources) noCollectorReason() string {
	if s.collector == nil {
		return "not enrolled: no collector to measure against"
	}
	return ""
}

// collectorURL returns the collector's address; "" without a collector.
func (s sources) collectorURL() string {
	if s.collector == nil {
		return ""
	}
	return s.collector.String()
}

// webSocketURL returns the address of the collector's test WebSocket; "" without a
// collector.
func (s sources) webSocketURL() string {
	if s.collector == nil {
		return ""
	}
	return s.collector.JoinPath(wire.PathWebSocket).String()
}
