package check

import (
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/host/crash"
	hostload "github.com/tonprobe/tonprobe/probe/host/load"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/network/link"
	"github.com/tonprobe/tonprobe/probe/network/load"
	"github.com/tonprobe/tonprobe/probe/network/path"
	"github.com/tonprobe/tonprobe/probe/network/web"
	"github.com/tonprobe/tonprobe/probe/report"
)

// behaviorBudget is the budget of nat.behavior without the search for the lifetime of a
// binding. It includes one request before and one after the silence that proves a filter.
const behaviorBudget = 11 * time.Second

// steps returns all steps of a check, including those on request, in the order of the
// report. Steps that wait for the same bandwidth get it in this order.
//
// Without a conference system and steps on request, the budgets limit a check to 12 s even
// if every server hangs, and to 15 s if nobody speaks. The plan adds probe.Grace to each of
// them.
//
// media.voice connects first and alone. On a line of 30 kbit/s that takes four
// seconds, and fails if there is other traffic; the report then cannot say which
// direction is too slow. Steps that send more than a few packets wait until the voice is
// connected, but not so long that too little time is left for them (NotLater).
//
// The rates in Sends were counted on the wire in the busiest second of the bench's
// scenarios, with IP headers (TONPROBE_BENCH_REPORTS keeps the packets).
func (o Options) steps(s sources) probe.Plan {
	connected := []probe.Mark{{Step: report.ProbeMediaVoice, Phase: media.PhaseConnect}}
	plan := probe.Plan{
		{
			Probe:  unless(o.noAudioReason(), audio.NewInput(audio.InputConfig{Device: o.Device, SpeakFor: o.SpeakFor, Others: o.OtherMicrophones, Keep: o.Keep, Site: o.site()})),
			Budget: o.inputBudget(),
			Turn:   probe.Turn{Sends: probe.Nothing()},
		},
		{
			// The list of servers, a name lookup that hangs (4 s) and the complete
			// schedule of retransmissions (2.85 s). Without such trouble it takes
			// 0.1 s. If the time is not enough, the result is unknown.
			Probe:  nat.New(nat.Config{ICE: s.ice}),
			Budget: 11 * time.Second,
			Turn:   probe.Turn{Sends: burstThen(12, 10, 4, 3)},
		},
		{
			Probe:  nat.NewBehavior(nat.Config{ICE: s.ice, Lifetime: o.BindingLifetime}),
			Budget: behaviorBudget + o.lifetimeSearch(),
			Turn: probe.Turn{
				NotBefore: 900 * time.Millisecond, After: connected, NotLater: 3600 * time.Millisecond,
				Sends: burstThen(12, 8, 5, 2),
			},
		},
		{
			// The list of servers, a name lookup, and two schedules of
			// retransmissions: one for the allocation, one for the data through it.
			// Deallocation takes until the end of the grace if the queue of the
			// line is long.
			Probe:  nat.NewTURN(nat.TURNConfig{ICE: s.ice, RootCAs: s.rootCAs, Proxy: s.proxy()}),
			Budget: 10500 * time.Millisecond,
			Turn: probe.Turn{
				NotBefore: 2300 * time.Millisecond, After: connected, NotLater: 4600 * time.Millisecond,
				Sends: probe.Nothing(), // outside of its phases
			},
			Phases: []probe.Phase{
				{Name: nat.PhaseRelay, Turn: probe.Turn{Sends: burst(13, 9)}},
				{Name: nat.PhaseRelayTLS, Turn: probe.Turn{Sends: burst(21, 23)}},
			},
		},
		{
			// Signalling, ICE and DTLS take 5 s together: with UDP blocked, 2 to 3
			// s pass before TCP or the relay is chosen. The stream follows.
			Probe: media.NewVoice(media.VoiceConfig{
				Signaller: s.signaller, RootCAs: s.rootCAs, Proxy: s.proxy(), WebPort: s.webPort(), Duration: streamFor, Longest: streamLongest,
			}),
			Budget: 5*time.Second + streamFor,
			Turn:   probe.Turn{Sends: probe.Nothing()},
			Phases: []probe.Phase{
				// Reserves the rate of the largest stream, so that the stream need
				// not wait.
				{Name: media.PhaseConnect, Turn: probe.Turn{Sends: steady(83, 81)}},
				// During the first second after the connection, a slow line still
				// transmits its packets.
				{Name: media.PhaseStream, Turn: probe.Turn{NotBefore: time.Second, Sends: steady(58, 58)}},
				{Name: media.PhaseStreamTCP, Turn: probe.Turn{NotBefore: time.Second, Sends: steady(73, 72)}},
				{Name: media.PhaseStreamRelayed, Turn: probe.Turn{NotBefore: time.Second, Sends: steady(83, 81)}},
			},
		},
		{
			// Name lookup, connection and TLS may each hang for 3 s, so that the
			// report names the step at fault instead of the exceeded budget.
			Probe: unless(s.noWebReason(), web.New(web.Config{
				URL: s.webURL, AddressFrom: s.webFrom, Proxies: s.proxies.Find, RootCAs: s.rootCAs, Token: s.token, Built: builtAt(),
				WebSocketURL: s.webSocketURL(), CollectorURL: s.collectorURL(), Pins: s.pins,
			})),
			Budget: 10500 * time.Millisecond,
			Turn:   probe.Turn{Sends: burstThen(10, 10, 1, 1)}, // name lookups
			Phases: []probe.Phase{
				{Name: web.PhaseConnect, Turn: probe.Turn{
					NotBefore: 1100 * time.Millisecond, After: connected, NotLater: 3200 * time.Millisecond,
					Sends: burst(22, 36),
				}},
				{Name: web.PhaseWebSocket, Turn: probe.Turn{NotBefore: 5400 * time.Millisecond, Sends: probe.Nothing()}},
			},
		},
		{
			// A name lookup that hangs (3 s) and 20 requests to the gateway.
			Probe:  link.New(link.Config{URL: s.webURL}),
			Budget: 7500 * time.Millisecond,
			Turn:   probe.Turn{Sends: steady(7, 7)},
		},
		{
			// Name lookups and ICE servers, the search for the routers (1.8 s), and
			// the streams (5 s and the wait for the last packet), which alone fill
			// a line of 30 kbit/s.
			Probe:  path.New(path.Config{URL: conference.WebAddress(o.Target), ICE: s.ice, Collector: s.collectorURL()}),
			Budget: 11 * time.Second,
			Turn:   probe.Turn{NotBefore: 500 * time.Millisecond, Sends: steady(3, 3)}, // detection of the open ports
			Phases: []probe.Phase{
				{Name: path.PhaseSurvey, Turn: probe.Turn{Sends: burstThen(12, 10, 4, 4)}},
				{Name: path.PhasePoint, Turn: probe.Turn{
					After: connected, NotLater: 4400 * time.Millisecond,
					Sends: steady(7.5, 7.5),
				}},
				{Name: path.PhasePointUDP, Turn: probe.Turn{
					After: connected, NotLater: 4400 * time.Millisecond,
					Sends: steady(8, 16),
				}},
				{Name: path.PhaseLarge, Turn: probe.Turn{Sends: steady(37, 13)}},
			},
		},
	}
	plan = append(plan, probe.Step{
		Probe:  hostload.New(), // watches for four seconds
		Budget: 8 * time.Second,
		Turn:   probe.Turn{Sends: probe.Nothing()},
	}, probe.Step{
		// A large journal on a slow disk takes some seconds.
		Probe:  crash.New(o.Recorded),
		Budget: 9 * time.Second,
		Turn:   probe.Turn{Sends: probe.Nothing()},
	})
	if o.system != nil {
		plan = append(plan, probe.Step{
			// Up to eleven steps, one of which may take its timeout (3 s), then a stream of
			// 2.4 s, to BigBlueButton 3.2 s, after that of media.voice. The relays of
			// the system are tried meanwhile.
			Probe:  o.system,
			Budget: 14 * time.Second,
			Turn:   probe.Turn{NotBefore: 1500 * time.Millisecond, After: connected, NotLater: 5 * time.Second, Sends: probe.Nothing()},
			Phases: []probe.Phase{
				{Name: visit.PhaseStep, Turn: probe.Turn{Sends: burst(25, 40)}},
				{Name: visit.PhaseRequests, Turn: probe.Turn{Sends: burst(14, 14)}},
				{Name: visit.PhaseStream, Turn: probe.Turn{Sends: steady(58, 58)}},
				{Name: nat.PhaseRelay, Turn: probe.Turn{Sends: burst(13, 9)}},
				{Name: nat.PhaseRelayTLS, Turn: probe.Turn{Sends: burst(21, 23)}},
			},
		})
	}
	return append(plan, probe.Step{
		// Three phases (6.8 s), a name lookup, the last responses of each phase, and
		// the time for the queue to drain between them.
		Probe:     unless(s.noCollectorReason(), load.New(load.Config{Base: s.collector, Token: s.token, Transport: s.transport, ICE: s.ice})),
		Budget:    21 * time.Second,
		Exclusive: true,
		OnRequest: !o.Load, // fills the line
	}, probe.Step{
		// Start of the child process, warm-up of two devices, the sound and its echo.
		// It starts when the microphone is free, so that nobody is speaking.
		Probe:     unless(o.noAudioReason(), audio.NewOutput(audio.OutputConfig{Input: o.Device})),
		Budget:    8 * time.Second,
		Turn:      probe.Turn{After: []probe.Mark{{Step: report.ProbeAudioInput}}, Sends: probe.Nothing()},
		OnRequest: !o.Speaker, // makes a sound
	})
}

// SmallProbes returns the probes of a small check, which tests with little traffic whether the
// network and the servers can be reached.
func SmallProbes() []string { return []string{report.ProbeNetworkLink, report.ProbeNetworkWeb} }

// steady is a constant rate until the turn ends.
func steady(upKbps, downKbps float64) []probe.Rate {
	return []probe.Rate{{UpKbps: upKbps, DownKbps: downKbps}}
}

// burstThen is a rate in the first second, and another one until the turn ends.
func burstThen(upKbps, downKbps, thenUpKbps, thenDownKbps float64) []probe.Rate {
	return append(burst(upKbps, downKbps), steady(thenUpKbps, thenDownKbps)...)
}

// burst is a rate in the first second, after which next to nothing is sent.
func burst(upKbps, downKbps float64) []probe.Rate {
	return []probe.Rate{{UpKbps: upKbps, DownKbps: downKbps, For: time.Second}}
}
