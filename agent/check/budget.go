package check

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/audio"
)

// The budgets keep the default check within 12 s, also when every server hangs,
// and within 15 s when nobody speaks: the plan grants each of them probe.Grace on
// top.
const (
	// listenBudget is the microphone's, where nobody fixed how long to listen: the
	// longest capture, and 1.5 s to start. A device that takes longer to open, such
	// as a Bluetooth headset that switches its profile in 3 s, leaves less time to
	// wait for a voice; what was heard by then is judged.
	listenBudget = audio.LongestCapture + 1500*time.Millisecond
	// MinSpeakFor is the shortest speech P.56 gives a steady level for.
	MinSpeakFor = 2 * time.Second
	// MaxSpeakFor bounds the memory and the patience spent.
	MaxSpeakFor = 60 * time.Second

	// MinBindingLifetime is the shortest search: one that ends under the limit of
	// net.nat_binding_short would call every NAT forgetful.
	MinBindingLifetime = 30 * time.Second
	// MaxBindingLifetime is twice what RFC 4787 REQ-5 recommends, 5 minutes.
	MaxBindingLifetime = 10 * time.Minute

	// captureOverhead is what the microphone needs beside a fixed SpeakFor: starting
	// the capture process, opening the device (a Bluetooth headset switches its
	// profile in up to 3 s) and the warm-up that is dropped.
	captureOverhead = 5 * time.Second
	// loopBudget is the loudspeaker's test after the speech: starting the child,
	// two devices' warm-up, the sound and its echo.
	loopBudget = 8 * time.Second
	// streamFor is the length of the voice-like stream: 300 packets put the
	// Wilson interval of a loss of 1 % between 0.3 and 2.9 %.
	streamFor = 6 * time.Second
	// streamLongest is its length where the loss is in doubt, as far as its budget
	// reaches: at 5 % in bursts one check of six meets less than 3 % in 6 s.
	streamLongest = 9 * time.Second
	// connectBudget is signalling, ICE and DTLS together; a blocked UDP costs
	// 2 to 3 s before TCP or the relay is chosen.
	connectBudget = 5 * time.Second
	// natBudget is the list of servers, a name that hangs (4 s) and the whole
	// schedule of retransmissions (2.85 s). A line without such trouble needs a
	// tenth of a second; where the time is not enough nothing is said.
	natBudget = 11 * time.Second
	// behaviorBudget is that of nat, and on top the question before and the one
	// after a silence that is to prove a filter.
	behaviorBudget = 11 * time.Second
	// relayBudget is the list of servers, a name, and two of the schedules: one
	// for the relay, one for the data through it. Giving relays back takes until
	// the end of the grace where the line's queue is long.
	relayBudget = 10500 * time.Millisecond
	// lookupTime outlasts the 5 s after which a system asks its second name server
	// (resolv.conf(5)).
	lookupTime = 6500 * time.Millisecond
	// webBudget lets the name, the connection and the encryption hang for 3 s
	// each, so that the step at fault is named and not the budget, and begins after
	// the voice's way is settled (begins).
	webBudget = 10500 * time.Millisecond
	// loadBudget is three phases, 6.8 s, the name, the last answers of each, the
	// queue that drains between them, and a second upload where the collector
	// tells no arrivals.
	loadBudget = 21 * time.Second
	// linkBudget is a name that hangs (3 s) and 20 requests to the next router.
	linkBudget = 7500 * time.Millisecond
	// pathBudget is names and ICE servers, finding the routers (1.8 s) and the
	// streams (5 s and the wait for the last packet).
	pathBudget = 11 * time.Second
	// iceBudget is for the one request that several probes share. Connection,
	// encryption and request take three round trips, 3.4 s by way of a satellite
	// and a detour: a server that is only far away must not be called silent.
	iceBudget = 6 * time.Second
)
