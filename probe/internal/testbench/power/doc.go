// Package power measures how reliably the rules name a disturbance of a known
// size: power curves. It is test code; nothing but tests imports it.
//
// A simulated check sends the packets that the probes send, at the times at which
// they send them, over segments that lose, delay and limit them as asked. What the
// probes would have counted goes into a report, and the report through
// [diagnose.Diagnose]. No packet leaves the computer, and one check takes about a
// millisecond. What the simulation leaves out stands at [Line].
//
//	go test ./probe/internal/testbench/power
//
// holds the bounds. TONPROBE_POWER_DOCUMENT=file replaces the tables in a document
// (named from this folder, or in full), TONPROBE_POWER_CHECKS=n simulates n checks
// for each cell (1000 for the document).
package power
