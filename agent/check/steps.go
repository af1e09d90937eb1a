package check

import (
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/network/path"
	"github.com/tonprobe/tonprobe/probe/network/web"
	"github.com/tonprobe/tonprobe/probe/report"
)

// behaviorBudget is that of nat, and on top the question before and the one after a
// silence that is to prove a filter.
const behaviorBudget = 11 * time.Second

// steps is the plan of a check, and the one place where its times stand. The order
// is that of the report, and of the steps that wait for the same room.
//
// The budgets keep the check within 12 s, also when every server hangs, and within
// 15 s when nobody speaks: the plan grants each of them probe.Grace on top.
//
// The voice connects first and alone: on a line of 30 kbit/s that takes four
// seconds, and fails beside other traffic; then nothing tells in which direction
// the line is narrow. What sends more than a few packets waits until the voice is
// connected, but no longer than its own measurement can spare (NotLater).
//
// What a step sends was counted on the wire in the busiest second of the bench's
// scenarios, with IP headers (TONPROBE_BENCH_REPORTS keeps the packets).
func (o Options) steps(s sources) probe.Plan {
	connected := []probe.Mark{{Step: report.ProbeMediaVoice, Phase: media.PhaseConnect}}
	plan := probe.Plan{
		{
			Probe:  o.audioInput(),
			Budget: o.inputBudget(),
		},
		{
			// The list of servers, a name that hangs (4 s) and the whole schedule of
			// retransmissions (2.85 s). A line without such trouble needs a tenth of a
			// second; where the time is not enough nothing is said.
			Probe:  newNAT(s),
			Budget: 11 * time.Second,
			Turn:   probe.Turn{Sends: burstThen(12, 10, 4, 3)},
		},
		{
			Probe:  o.newBehavior(s),
			Budget: behaviorBudget + o.lifetimeSearch(),
			Turn: probe.Turn{
				NotBefore: 900 * time.Millisecond, After: connected, NotLater: 3600 * time.Millisecond,
				Sends: burstThen(12, 8, 5, 2),
			},
		},
		{
			// The list of servers, a name, and two of the schedules: one for the relay,
			// one for the data through it. Giving relays back takes until the end of the
			// grace where the line's queue is long.
			Probe:  newRelays(s),
			Budget: 10500 * time.Millisecond,
			Turn: probe.Turn{
				NotBefore: 2300 * time.Millisecond, After: connected, NotLater: 4600 * time.Millisecond,
			},
			Phases: []probe.Phase{
				{Name: nat.PhaseRelay, Turn: probe.Turn{Sends: burst(13, 9)}},
				{Name: nat.PhaseRelayTLS, Turn: probe.Turn{Sends: burst(21, 23)}},
			},
		},
		{
			// Signalling, ICE and DTLS take 5 s together, of which a blocked UDP costs 2
			// to 3 s before TCP or the relay is chosen. Then the stream.
			Probe:  newVoice(s),
			Budget: 5*time.Second + streamFor,
			Phases: []probe.Phase{
				// It holds the room of the largest stream, which then need not wait.
				{Name: media.PhaseConnect, Turn: probe.Turn{Sends: steady(83, 81)}},
				// Not in the same second as the setting up, which a narrow line still
				// carries then.
				{Name: media.PhaseStream, Turn: probe.Turn{NotBefore: time.Second, Sends: steady(58, 58)}},
				{Name: media.PhaseStreamTCP, Turn: probe.Turn{NotBefore: time.Second, Sends: steady(73, 72)}},
				{Name: media.PhaseStreamRelayed, Turn: probe.Turn{NotBefore: time.Second, Sends: steady(83, 81)}},
			},
		},
		{
			// The name, the connection and the encryption may hang for 3 s each, so that
			// the step at fault is named and not the budget.
			Probe:  o.web(s),
			Budget: 10500 * time.Millisecond,
			Turn:   probe.Turn{Sends: burstThen(10, 10, 1, 1)}, // look-ups of names
			Phases: []probe.Phase{
				{Name: web.PhaseConnect, Turn: probe.Turn{
					NotBefore: 1100 * time.Millisecond, After: connected, NotLater: 3200 * time.Millisecond,
					Sends: burst(22, 36),
				}},
				{Name: web.PhaseWebSocket, Turn: probe.Turn{NotBefore: 5400 * time.Millisecond}},
			},
		},
		{
			// A name that hangs (3 s) and 20 requests to the next router.
			Probe:  newLink(s),
			Budget: 7500 * time.Millisecond,
			Turn:   probe.Turn{Sends: steady(7, 7)},
		},
		{
			// Names and ICE servers, finding the routers (1.8 s) and the streams (5 s and
			// the wait for the last packet), which alone fill a line of 30 kbit/s.
			Probe:  newPath(s, conference.WebAddress(o.Target)),
			Budget: 11 * time.Second,
			Turn:   probe.Turn{NotBefore: 500 * time.Millisecond, Sends: steady(3, 3)}, // the ports
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
	if o.system != nil {
		plan = append(plan, probe.Step{
			// Six steps, of which one may take its whole time (3 s). Then a stream of 2.4 s,
			// once that of the voice is over.
			Probe:  o.system,
			Budget: 14 * time.Second,
			Turn:   probe.Turn{NotBefore: 1500 * time.Millisecond, After: connected, NotLater: 5 * time.Second},
			Phases: []probe.Phase{
				{Name: visit.PhaseStep, Turn: probe.Turn{Sends: burst(25, 40)}},
				{Name: visit.PhaseStream, Turn: probe.Turn{Sends: steady(58, 58)}},
			},
		})
	}
	if o.Load {
		plan = append(plan, probe.Step{
			// Three phases (6.8 s), the name, the last answers of each, and the queue that
			// drains between them.
			Probe:     o.load(s),
			Budget:    21 * time.Second,
			Exclusive: true,
		})
	}
	if o.Speaker {
		plan = append(plan, probe.Step{
			// Starting the child, two devices' warm-up, the sound and its echo, when the
			// microphone is free and nobody speaks any more.
			Probe:  o.audioOutput(),
			Budget: 8 * time.Second,
			Turn:   probe.Turn{After: []probe.Mark{{Step: report.ProbeAudioInput}}},
		})
	}
	return plan
}

// steady is what a turn sends until it ends.
func steady(upKbps, downKbps float64) []probe.Rate {
	return []probe.Rate{{UpKbps: upKbps, DownKbps: downKbps}}
}

// burstThen is a burst with what goes on after it.
func burstThen(upKbps, downKbps, thenUpKbps, thenDownKbps float64) []probe.Rate {
	return append(burst(upKbps, downKbps), steady(thenUpKbps, thenDownKbps)...)
}

// burst is what a turn sends in its first second, after which it is next to nothing.
func burst(upKbps, downKbps float64) []probe.Rate {
	return []probe.Rate{{UpKbps: upKbps, DownKbps: downKbps, For: time.Second}}
}
