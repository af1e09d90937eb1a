package check

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/network/link"
	"github.com/tonprobe/tonprobe/probe/network/load"
	"github.com/tonprobe/tonprobe/probe/network/path"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/probe/network/web"
	"github.com/tonprobe/tonprobe/probe/report"
)

// sources contains the servers that the probes measure to.
type sources struct {
	webURL    string // "" when no address is known
	webFrom   string // who named it; see [report.NetworkWeb]
	rootCAs   *x509.CertPool
	ice       iceFunc         // nil without a collector
	signaller media.Signaller // nil without a collector
	// collector, token, transport and pins are set if and only if signaller is.
	collector *url.URL
	token     func(context.Context) string
	transport *http.Transport
	pins      *trust.Pins
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
	s.collector, s.transport, s.pins = base, c.Transport(), c.Pins
	signaller := &media.HTTPSignaller{Base: base, Token: c.Token, Client: c.Client()}
	s.ice = iceFunc(signaller.ICE).once(ctx)
	s.signaller = sharedICE{signaller, s.ice}
	s.token = s.measureToken(c.Token)
	return s
}

// measureToken returns a function for the token of measurements over connections of their
// own. Without the agent's token, which the service keeps, it is the one for measurements.
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

func (o Options) newAudioInput() probe.Probe {
	return audio.NewInput(audio.InputConfig{Device: o.Device, SpeakFor: o.SpeakFor, Others: o.OtherMicrophones, Keep: o.Keep})
}

func (o Options) newAudioOutput() probe.Probe {
	return audio.NewOutput(audio.OutputConfig{Input: o.Device})
}

func newVoice(s sources) probe.Probe {
	return media.NewVoice(media.VoiceConfig{
		Signaller: s.signaller, RootCAs: s.rootCAs, Proxy: s.proxy(), WebPort: s.webPort(), Duration: streamFor, Longest: streamLongest,
	})
}

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

func newNAT(s sources) probe.Probe { return nat.New(nat.Config{ICE: s.ice}) }

func (o Options) newBehavior(s sources) probe.Probe {
	return nat.NewBehavior(nat.Config{ICE: s.ice, Lifetime: o.BindingLifetime})
}

func newRelays(s sources) probe.Probe {
	return nat.NewTURN(nat.TURNConfig{ICE: s.ice, RootCAs: s.rootCAs, Proxy: s.proxy()})
}

func newWeb(s sources) probe.Probe {
	c := web.Config{URL: s.webURL, AddressFrom: s.webFrom, RootCAs: s.rootCAs, Token: s.token, Built: builtAt()}
	if s.collector != nil {
		c.WebSocketURL = s.collector.JoinPath(wire.PathWebSocket).String()
		c.CollectorURL, c.Pins = s.collector.String(), s.pins
	}
	return web.New(c)
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

func newLoad(s sources) probe.Probe {
	return load.New(load.Config{Base: s.collector, Token: s.token, Transport: s.transport, ICE: s.ice})
}

func newLink(s sources) probe.Probe { return link.New(link.Config{URL: s.webURL}) }

func newPath(s sources, target string) probe.Probe {
	c := path.Config{URL: target, ICE: s.ice}
	if s.collector != nil {
		c.Collector = s.collector.String()
	}
	return path.New(c)
}

// SmallProbes returns the probes of a small check, which tests with little traffic whether the
// network and the servers can be reached.
func SmallProbes() []string { return []string{report.ProbeNetworkLink, report.ProbeNetworkWeb} }
