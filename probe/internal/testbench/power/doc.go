// Package power measures how reliably the rules name a disturbance of a known
// size: power curves. It is test code; nothing but tests imports it.
//
// A simulated check sends the packets that the probes send, at the same times, over segments
// with a configured loss, delay and rate. The counts of the probes are entered in a report,
// which is passed to [diagnose.Diagnose]. No packet leaves the computer, and one check takes
// about a millisecond. [Line] lists what is not simulated.
//
//	go test ./probe/internal/testbench/power
//
// checks the limits. TONPROBE_POWER_DOCUMENT=file replaces the tables in a document
// (relative to this folder, or absolute), TONPROBE_POWER_CHECKS=n simulates n checks
// for each cell (1000 for the document).
package power
