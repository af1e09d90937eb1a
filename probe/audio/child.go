package audio

import (
	"io"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

// ChildArg is the hidden first argument that starts the capture process.
const ChildArg = capture.ChildArg

// ChildMain runs the capture process. Every program that calls NewInput or
// Devices must call it before anything else:
//
//	if len(os.Args) > 1 && os.Args[1] == audio.ChildArg {
//		os.Exit(audio.ChildMain(os.Stdin, os.Stdout))
//	}
func ChildMain(in io.Reader, out io.Writer) int { return capture.ChildMain(in, out) }
