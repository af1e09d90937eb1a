// Package audio measures the microphone. It provides the probe audio.input, the
// list of devices, and the same analysis for a WAV file.
//
// Recording takes place in a child process (package capture). Package signal contains the
// signal analysis, package osstate reads the operating system's state of the devices. Audio is
// never sent or written to a file: samples are analysed and discarded, except for the last
// seconds, which a Recording holds in memory for playback.
package audio
