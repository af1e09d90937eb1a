// Package capture records from a microphone in a child process and watches
// over it from the parent.
//
// The sound systems of all three platforms can abort, dead-lock or fall silent
// without a word inside their own libraries: libpulse aborts the process when
// a stream of native format is opened without a source, miniaudio can hang
// while a device is unplugged (issues 1034, 1149), and a server that dies only
// means that no more callbacks come. None of that can be recovered from inside
// the process. So the program starts itself again with ChildArg, the child
// opens the device and writes typed frames to its standard output, and the
// parent kills it whenever it stays silent for too long. A child is never
// restarted.
//
// Programs call ChildMain before anything else when their first argument is
// ChildArg; Run is the parent's side.
package capture

// ChildArg is the hidden first argument that makes a program the child.
const ChildArg = "capture-child"

// The format of the stream, whatever the device's own is: one rate keeps every
// figure comparable, and the native rate is reported apart.
const (
	RateHz = 48000
	// MaxChannels is PulseAudio's limit (PA_CHANNELS_MAX). Interfaces have 8 or 18
	// channels, arrays of microphones 4 to 16, and the voice may be on any of them.
	MaxChannels = 32
	// maxPlayChannels is what is played: the sound of a check is mono or stereo.
	maxPlayChannels = 2
)
