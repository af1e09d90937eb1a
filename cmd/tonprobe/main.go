// Command tonprobe tells a participant of an online council session, before it
// begins, whether they will be heard, and what to do if not.
package main

import (
	"os"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/network/proxy"
)

// version is set by the linker.
var version = "dev"

// releaseKey is the public key for announcements of new versions, in base64, set by the
// linker. Without it none is shown.
var releaseKey = ""

func main() {
	// The capture process must start before anything else opens a sound system, a window or a
	// file.
	if len(os.Args) > 1 && os.Args[1] == audio.ChildArg {
		os.Exit(audio.ChildMain(os.Stdin, os.Stdout))
	}
	if len(os.Args) > 1 && os.Args[1] == proxy.ChildArg {
		os.Exit(proxy.ChildMain(os.Stdin, os.Stdout))
	}
	reportBrokenPipes()
	p := &program{
		in: os.Stdin, out: newOutput(os.Stdout), err: newOutput(os.Stderr),
		getenv: os.Getenv, version: version, releaseKey: releaseKey,
	}
	p.nameWindow()
	s := p.main(os.Args[1:])
	p.holdWindow()
	os.Exit(int(s))
}
