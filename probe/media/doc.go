// Package media measures a voice-like stream: 20 ms packets of the size of Opus
// frames, sent over WebRTC to the collector's reflector and back. Upstream and
// downstream are measured separately.
package media
