// Package media measures a stream like a voice: 20 ms packets of Opus size over
// WebRTC to the collector's reflector and back, up and down told apart.
package media
