// Package capture records from a microphone in a child process that the parent
// monitors.
//
// The sound systems of all three platforms can abort, deadlock or fall silent
// inside their own libraries: libpulse aborts the process when a stream of native
// format is opened without a source, miniaudio can hang while a device is unplugged
// (issues 1034, 1149), and when a server dies the callbacks merely stop. A process
// cannot recover from any of these. Therefore the program starts itself again with
// ChildArg. The child opens the device and writes typed frames to its standard
// output, and the parent kills it when it has been silent for too long. A child is
// never restarted.
//
// A program calls ChildMain before anything else when its first argument is
// ChildArg. Run is the parent's side.
package capture

// ChildArg is the hidden first argument that makes a program the child.
const ChildArg = "capture-child"

// The format of the stream is independent of the device's own. A single rate keeps
// all values comparable; the native rate is reported separately.
const (
	RateHz = 48000
	// MaxChannels is PulseAudio's limit (PA_CHANNELS_MAX). Audio interfaces have 8 or
	// 18 channels, microphone arrays 4 to 16, and any of them may carry the voice.
	MaxChannels = 32
	// maxPlayChannels limits playback: the sounds of a check are mono or stereo.
	maxPlayChannels = 2
)
