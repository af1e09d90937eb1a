// Package sound contains what all recordings of a voice share, whether the samples come from a
// microphone or not: when a recording is long enough, and the fields of the report that are
// filled from its analysis. It opens no device.
package sound
