// Package wire is what the agent and the reflector share: the payload inside
// each RTP packet of the voice-like stream, the log of arrivals that ends it,
// and the JSON and constants of the signalling around it.
//
// Both directions carry numbers of their own and stamps of the clock of
// whoever sent them, so that loss and delay variation up and down can be told
// apart. A round trip alone cannot place a fault.
//
// The package does no I/O, reads no clock and keeps no state.
package wire
