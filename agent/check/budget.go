package check

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/media/judge"
)

// Durations used in more than one place. Those of a single step are in steps.
const (
	// listenBudget is the budget of audio.input when SpeakFor is 0: the longest
	// capture and 1.5 s to start. A device that takes longer to open, such as a
	// Bluetooth headset that switches its profile in 3 s, leaves less time to wait
	// for speech; what was recorded by then is judged.
	listenBudget = audio.LongestCapture + 1500*time.Millisecond
	// MinSpeakFor is the shortest speech for which P.56 yields a stable level.
	MinSpeakFor = 2 * time.Second
	// MaxSpeakFor limits the memory used and the wait.
	MaxSpeakFor = 60 * time.Second

	// MinBindingLifetime is the shortest search. A search that ends below the limit
	// of net.nat_binding_short would report that cause for every NAT.
	MinBindingLifetime = 30 * time.Second
	// MaxBindingLifetime is twice what RFC 4787 REQ-5 recommends, 5 minutes.
	MaxBindingLifetime = 10 * time.Minute

	// captureOverhead is the time that audio.input needs in addition to a fixed
	// SpeakFor: to start the capture process, to open the device (a Bluetooth
	// headset switches its profile in up to 3 s) and for the warm-up, which is
	// discarded.
	captureOverhead = 5 * time.Second
	streamFor       = judge.UsualStream
	streamLongest   = judge.LongestStream // limited by the budget
	// lookupTime is longer than the 5 s after which a resolver tries its second
	// name server (resolv.conf(5)).
	lookupTime = 6500 * time.Millisecond
	// iceBudget limits the one request that several probes share. Connection, TLS
	// and request take three round trips: 3.4 s over a satellite and a detour. A
	// server that is merely far away must not be reported as unreachable.
	iceBudget = 6 * time.Second
)
