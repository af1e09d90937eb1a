// Package microphone tests the complete check of a microphone with real sound
// servers: it plays recordings with known faults, and mutes, moves and unplugs
// devices during the recording. The report must name the cause.
package microphone
