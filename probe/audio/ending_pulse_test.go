//go:build linux && cgo

package audio

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
)

// ending is a fault of a microphone during speech.
type ending struct {
	name string
	want []string // the acceptable primary causes
	make func(r *pulserig.Rig, mic *pulserig.Cable, silence []float32)
}

func endings() []ending {
	return []ending{
		{"unplug", []string{"host.device_unplugged"}, func(r *pulserig.Rig, mic *pulserig.Cable, _ []float32) { mic.Unplug() }},
		{"mute", []string{"audio.os_muted"}, func(r *pulserig.Rig, mic *pulserig.Cable, _ []float32) { r.Control("set-source-mute", mic.ID, "1") }},
		{"volume to 0", []string{"audio.os_volume_low"}, func(r *pulserig.Rig, mic *pulserig.Cable, _ []float32) {
			r.Control("set-source-volume", mic.ID, "0%")
		}},
		{"default switched", []string{"audio.rerouted"}, func(r *pulserig.Rig, mic *pulserig.Cable, _ []float32) { r.Control("set-default-source", "other") }},
		{"source suspended", []string{"audio.stalled"}, func(r *pulserig.Rig, mic *pulserig.Cable, _ []float32) { r.Control("suspend-source", mic.ID, "1") }},
		{"server killed", []string{"audio.no_server"}, func(r *pulserig.Rig, _ *pulserig.Cable, _ []float32) { r.Kill() }},
		{"digital zero", []string{"audio.digital_silence"}, func(_ *pulserig.Rig, mic *pulserig.Cable, silence []float32) { mic.Feed(silence, 0) }},
	}
}

// endingTimes are the times of the fault in a check that listens for endingFor.
var endingTimes = []time.Duration{
	500 * time.Millisecond, time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second, 5 * time.Second, 5500 * time.Millisecond,
}

const endingFor = 6 * time.Second

// TestEndings causes each fault at a microphone of a real sound server after some
// good speech, and prints how many were diagnosed correctly, for docs/accuracy.md.
// TONPROBE_ENDINGS is the number of takes of each; without it there is one of each
// fault, in the last half second.
func TestEndings(t *testing.T) {
	t.Parallel()
	takes, times := 1, endingTimes[len(endingTimes)-1:]
	if n, err := strconv.Atoi(os.Getenv("TONPROBE_ENDINGS")); err == nil {
		takes, times = n, endingTimes
	}
	// Room noise continues between the words, as with every real microphone.
	path := effected(t, pulserig.Say(t, pulserig.GermanText, "de", -26), "pad", "0", "0.3")
	voice := pulserig.Samples(t, path)
	for i := range voice {
		voice[i] += 3e-4 * float32(i*7919%2003-1001) / 1001 // noise of -75 dBFS
	}
	silence := make([]float32, len(voice))
	atOnce := make(chan struct{}, 7)
	var line strings.Builder
	var mu sync.Mutex
	var running sync.WaitGroup
	right := map[string]int{}
	for _, e := range endings() {
		for _, at := range times {
			for range takes {
				atOnce <- struct{}{}
				running.Go(func() {
					defer func() { <-atOnce }()
					t.Run(fmt.Sprint(e.name, " after ", at), func(t *testing.T) {
						code, verdict, d := endingTake(t, e, at, voice, silence)
						if !slices.Contains(e.want, code) || verdict == report.Ready {
							t.Errorf("got %q, verdict %s; want one of %q\n%+v", code, verdict, e.want, d)
							return
						}
						mu.Lock()
						defer mu.Unlock()
						right[fmt.Sprint(e.name, at)]++
					})
				})
			}
		}
	}
	running.Wait()
	for _, e := range endings() {
		fmt.Fprintf(&line, "| %s |", e.name)
		for _, at := range times {
			fmt.Fprintf(&line, " %d |", right[fmt.Sprint(e.name, at)])
		}
		fmt.Fprintln(&line)
	}
	t.Logf("of %d each, reported correctly after %v:\n%s", takes, times, line.String())
}

func endingTake(t *testing.T, e ending, at time.Duration, voice, silence []float32) (code string, verdict report.Verdict, d *report.AudioInput) {
	t.Helper()
	limits, err := diagnose.LoadProfile(diagnose.DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	rig := pulserig.Start(t, pulserig.Config{NoDevices: true})
	mic := rig.Plug(t, "headset", pulserig.Plug{})
	mic.Feed(voice, 0)
	other := rig.Plug(t, "other", pulserig.Plug{})
	other.Feed(voice, 0)
	rig.Control("set-default-source", mic.ID)
	var heard time.Duration
	var once sync.Once
	in := NewInput(InputConfig{SpeakFor: endingFor, Child: rig.Child(ChildArg)})
	result, err := in.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}, Progress: func(ev probe.Event) {
		if ev.Kind != probe.EventLevel {
			return
		}
		if heard += levelPeriod; heard >= at {
			once.Do(func() { e.make(rig, mic, silence) })
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	d, _ = result.Data.(*report.AudioInput)
	causes, verdict := diagnose.Diagnose(&report.Report{Probes: []report.Result{{Name: report.ProbeAudioInput, Status: result.Status, Data: result.Data}}}, limits)
	for _, c := range causes {
		if c.Primary {
			code = c.Code
		}
	}
	return cmp.Or(code, "none"), verdict, d
}
