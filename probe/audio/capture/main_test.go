package capture

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"math"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

const fakeArg = "fake-child"

// TestMain makes the test binary usable as its own capture process, and as the
// faulty ones that the parent must handle.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == ChildArg {
		os.Exit(ChildMain(os.Stdin, os.Stdout))
	}
	if len(os.Args) > 2 && os.Args[1] == fakeArg {
		request, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		if request == "" {
			os.Exit(1)
		}
		fakes[os.Args[2]]()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func fakeCommand(ctx context.Context, name string) *exec.Cmd {
	return exec.CommandContext(ctx, os.Args[0], fakeArg, name)
}

func say(messages ...Message) {
	for _, m := range messages {
		frame, err := jsonFrame(m.message(), m)
		if err != nil {
			panic(err)
		}
		_, _ = os.Stdout.Write(frame)
	}
}

// hang waits until the parent has exited or kills it.
func hang() { _, _ = io.Copy(io.Discard, os.Stdin) }

// sound sends n callbacks of 20 ms with a constant value.
func sound(n int) {
	samples := make([]byte, 4*RateHz/50)
	for i := range RateHz / 50 {
		binary.LittleEndian.PutUint32(samples[4*i:], math.Float32bits(0.25))
	}
	for i := range n {
		_, _ = os.Stdout.Write(pcmFrame(int64(i)*20e6, 0, samples))
	}
}

var (
	hello   = Hello{Version: protocolVersion}
	listed  = Devices{Backend: "fake", Devices: []Device{{Name: "Fake", ID: "fake", IsDefault: true}}}
	started = Started{RateHz: RateHz, Channels: 1, PeriodMS: 20}
)

var fakes = map[string]func(){
	"garbage":         func() { _, _ = os.Stdout.WriteString("ALSA lib pcm.c:8432: cannot open\n"); hang() },
	"silent":          hang,
	"dies":            func() { say(hello); os.Exit(134) },
	"wrong version":   func() { say(Hello{Version: 99}); hang() },
	"no greeting":     func() { say(listed); hang() },
	"server hangs":    func() { say(hello); hang() },
	"open hangs":      func() { say(hello, listed); hang() },
	"no sound":        func() { say(hello, listed, started); hang() },
	"stalls":          func() { say(hello, listed, started); sound(5); hang() },
	"states only":     func() { say(hello, listed, started); sound(5); chatter() },
	"too many":        func() { say(hello, listed, Started{RateHz: RateHz, Channels: 99}); hang() },
	"sound too early": func() { say(hello); sound(1); hang() },
	"huge":            func() { _, _ = os.Stdout.Write([]byte{'T', 'H', 0xFF, 0xFF, 0xFF, 0x7F}); hang() },
	"half a frame":    func() { say(hello); _, _ = os.Stdout.Write([]byte{'T', 'D', 100, 0, 0, 0, '{'}) },
	"busy":            func() { say(hello, Failure{State: report.CaptureInUse, Text: "in use"}); hang() },
	"floods":          func() { say(hello, listed, started); sound(1 << 20) },
	"healthy":         func() { say(hello, listed, started); sound(100); hang() },
	"never finishes":  func() { say(hello, listed, Playing{}); hang() },
	"dies playing":    func() { say(hello, listed, Playing{}) },
	"plays":           func() { say(hello, listed, Playing{}, Played{}) },
	"lists":           func() { say(hello, listed) },
}

// chatter is a child whose stream is dead but which still sends states.
func chatter() {
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			say(State{})
		}
	}()
	hang()
}
