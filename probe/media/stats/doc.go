// Package stats turns the packets of a voice-like stream into the figures a
// voice engineer asks for: loss, jitter, delay variation, bursts, reordering,
// late loss, round trip, and whether this computer itself was the bottleneck.
//
// Every function is pure: plain slices in, figures out, nothing kept, inputs
// left as they are. Times are int64 nanoseconds going in and float64
// milliseconds coming out. Sender and receiver need no common clock: only
// differences of one clock are ever used.
//
// What could not be measured is nil, never zero.
package stats
