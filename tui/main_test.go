package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// roleVar makes the test binary behave as the real program.
const roleVar = "TONPROBE_TUI_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "":
		os.Exit(m.Run())
	case "nothing": // what `tonprobe version` does to the terminal
		fmt.Println("version")
	case "play":
		play()
	}
}

// play runs the screens with a scripted check on the real standard streams.
func play() {
	o := Options{
		Lang: phrase.FromLocale(os.Getenv), Plain: NeedsPlain(os.Stdin, os.Stdout, os.Getenv), Color: WantsColor(os.Getenv),
		In: os.Stdin, Out: os.Stdout, Interactive: IsTerminal(os.Stdin), Consent: Consent{Recipient: "tonprobe.musterstadt.de"},
		Devices: func(context.Context) ([]Microphone, error) {
			return []Microphone{{Name: "HD Webcam C270"}, {Name: "Jabra Evolve2 65", IsDefault: true, IsBluetooth: true}}, nil
		},
		Check:   performance,
		Deliver: func(context.Context, *report.Report) Delivery { return DeliverySent },
	}
	r, err := Run(context.Background(), o)
	if r != nil {
		fmt.Println("verdict", r.Verdict, "device", r.Target)
	}
	fmt.Println("error", err)
}

// seenVar names a file that a test creates when it has seen a check, which ends only then, however slow
// the machine is. Without it, a check does not wait.
const seenVar = "TONPROBE_TUI_TEST_SEEN"

// seen reports whether the test has seen the check, and forgets it for the next one.
func seen() bool {
	file := os.Getenv(seenVar)
	return file == "" || os.Remove(file) == nil
}

// performance is a check with speech; with the webcam it is muted.
func performance(ctx context.Context, c Choices, progress func(probe.Event)) (*report.Report, error) {
	var clock probe.SystemClock
	rs := healthy()
	for _, r := range rs {
		progress(probe.Event{Probe: r.Name, Kind: probe.EventStarted})
	}
	progress(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventListening})
	progress(doneEvent(rs[3]))
	progress(doneEvent(rs[1]))
	for i := 0; i < 40 || !seen(); i++ {
		level := -27 + float64(i*7%13)
		progress(levelEvent(probe.Level{RMSDBFS: level - 12, PeakDBFS: level, Speech: true, MissingMS: float64(4500 - 50*min(i, 40))}))
		if err := clock.Sleep(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
	progress(doneEvent(rs[0]))
	progress(doneEvent(rs[2]))
	if c.Device == "broken" {
		return nil, errors.New("broken")
	}
	with := lossy
	if c.Device != "" {
		with = muted
	}
	return finished(&testing.T{}, with), nil
}
