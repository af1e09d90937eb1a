// Package accuracy proves how well Tonprobe names the cause of a microphone's
// trouble. It makes recordings whose fault is known, by kind and strength, sends
// each the whole way a check takes (signal analysis, audio.input, report,
// diagnosis), and counts how often the primary cause is the true one and how
// often a healthy recording is left in peace.
//
// The voices are espeak-ng's; everything done to them is done here, with a random
// source seeded by the recording's name, so that the same version of espeak-ng
// always gives the same matrix. docs/accuracy.md says what that does not prove.
package accuracy
