// Package wire contains what agent and reflector share: the payload of the RTP packets of the voice-like stream, the log of
// arrivals at its end, and the JSON and constants of the signalling.
//
// Each direction has its own sequence numbers and timestamps of its sender's clock, so that loss and delay variation can be
// measured separately for each direction. A round trip alone cannot locate a fault.
//
// The package does no I/O, reads no clock and keeps no state.
package wire
