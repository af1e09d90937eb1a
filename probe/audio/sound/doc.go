// Package sound is what is the same for every recording of a voice, wherever the samples come
// from: when a recording is long enough, and how its analysis gets into the report. It opens no
// device.
package sound
