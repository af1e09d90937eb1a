package check

import "time"

// The budgets keep the default check within 12 s: the slowest step is the
// microphone or the stream, and the plan grants each probe.Grace on top.
const (
	// DefaultSpeakFor is one sentence read aloud without haste, and two of the
	// 3 s windows of short-term loudness (EBU Tech 3341).
	DefaultSpeakFor = 6 * time.Second
	// MinSpeakFor is the shortest speech P.56 gives a steady level for.
	MinSpeakFor = 2 * time.Second
	// MaxSpeakFor bounds the memory and the patience spent.
	MaxSpeakFor = 60 * time.Second

	// captureOverhead is what the microphone needs beside the speech: starting
	// the capture process, opening the device (a Bluetooth headset switches its
	// profile in up to 3 s) and the warm-up that is dropped.
	captureOverhead = 5 * time.Second
	// loopBudget is the loudspeaker's test after the speech: starting the child,
	// two devices' warm-up, the sound and its echo.
	loopBudget = 8 * time.Second
	// streamFor is the length of the voice-like stream: 300 packets put the
	// Wilson interval of a loss of 1 % between 0.3 and 2.9 %.
	streamFor = 6 * time.Second
	// connectBudget is signalling, ICE and DTLS together; a blocked UDP costs
	// 2 to 3 s before TCP or the relay is chosen.
	connectBudget = 5 * time.Second
	// natBudget lets four copies of a STUN request go out (RFC 8489 §6.2.1: at
	// 0, 0.5, 1.5 and 3.5 s), so that three lost packets are not called blocked.
	natBudget = 4500 * time.Millisecond
	// webBudget lets the name, the connection and the encryption hang for 3 s
	// each, so that the step at fault is named and not the budget.
	webBudget = 9500 * time.Millisecond
	// loadBudget is three phases, 3.8 s, the name and the last answers.
	loadBudget = 8 * time.Second
	// linkBudget is a name that hangs (3 s) and 20 requests to the next router.
	linkBudget = 7500 * time.Millisecond
	// pathBudget is names and ICE servers, finding the routers (1.6 s) and the
	// streams (5 s and the wait for the last packet).
	pathBudget = 11 * time.Second
	// iceBudget is for the one request that nat and media.voice share.
	iceBudget = 3 * time.Second
)
