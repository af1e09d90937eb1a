// Package voices measures how reliably Tonprobe names the cause of microphone
// faults. It generates recordings with a known fault of known strength, processes each
// like a check (signal analysis, audio.input, report, diagnosis), and counts how often
// the primary cause is the true one and how often a healthy recording raises no warning.
//
// The voices come from espeak-ng. All processing uses a random source seeded by the
// recording's name, so that a given version of espeak-ng always yields the same matrix.
// docs/accuracy.md describes the limits of this method.
package voices
