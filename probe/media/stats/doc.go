// Package stats computes the statistics of a voice-like stream: loss, jitter, delay variation, bursts,
// reordering, late loss, round trip, and whether this computer itself was the bottleneck.
//
// Every function is pure and does not modify its input. Times are int64 nanoseconds as input and float64
// milliseconds as output. Sender and receiver need no common clock: only differences of times of the same
// clock are used.
//
// What could not be measured is nil, never zero.
package stats
