package check

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/audio"
)

// The times that more than one place needs. What a single step of the plan takes
// stands at the step.
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
	// streamFor is the length of the voice-like stream: 300 packets put the
	// Wilson interval of a loss of 1 % between 0.3 and 2.9 %.
	streamFor = 6 * time.Second
	// streamLongest is its length where the loss is in doubt, as far as its budget
	// reaches: at 5 % in bursts one check of six meets less than 3 % in 6 s.
	streamLongest = 9 * time.Second
	// lookupTime outlasts the 5 s after which a system asks its second name server
	// (resolv.conf(5)).
	lookupTime = 6500 * time.Millisecond
	// iceBudget is for the one request that several probes share. Connection,
	// encryption and request take three round trips, 3.4 s by way of a satellite
	// and a detour: a server that is only far away must not be called silent.
	iceBudget = 6 * time.Second
)
