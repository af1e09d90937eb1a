//go:build linux && cgo

package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/wav"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/pulserig"
	"github.com/tonprobe/tonprobe/probe/report"
)

// source is a format of a PulseAudio source.
type source struct {
	format   string
	rateHz   int
	channels int
}

func (s source) String() string { return fmt.Sprintf("%s %d Hz × %d", s.format, s.rateHz, s.channels) }

// sources returns all sample formats of PulseAudio (sample.h), rates from 8 to 192
// kHz, and 1 to 8 channels.
func sources() []source {
	var all []source
	for _, format := range []string{"u8", "alaw", "ulaw", "s16le", "s16be", "s24le", "s24be", "s24-32le", "s24-32be", "s32le", "s32be", "float32le", "float32be"} {
		all = append(all, source{format, 48000, 1})
	}
	for _, rate := range []int{8000, 11025, 16000, 22050, 32000, 44100, 88200, 96000, 176400, 192000} {
		all = append(all, source{"s16le", rate, 1})
	}
	for channels := 2; channels <= 8; channels++ {
		all = append(all, source{"s24-32le", 48000, channels})
	}
	return append(all, source{"s24-32le", 16000, 4}, source{"alaw", 8000, 1}, source{"float32be", 192000, 2})
}

// TestEverySourceFormat checks that formats without an equivalent in the capture
// library are captured as well, with the right level. -v prints the table of
// docs/accuracy.md.
func TestEverySourceFormat(t *testing.T) {
	voice := pulserig.Say(t, pulserig.GermanText, "de", -26)
	rows := make([]string, len(sources()))
	t.Run("sources", func(t *testing.T) {
		limit := make(chan struct{}, 3)
		for i, s := range sources() {
			t.Run(s.String(), func(t *testing.T) {
				t.Parallel()
				limit <- struct{}{}
				defer func() { <-limit }()
				rig := pulserig.Start(t, pulserig.Config{NoMic: true})
				// Not the sink itself, which adopts the rate of what it plays.
				rig.Load("module-remap-source", "master="+pulserig.Sink+".monitor", "source_name=any", "format="+s.format, fmt.Sprintf("rate=%d", s.rateHz), fmt.Sprintf("channels=%d", s.channels))
				rig.Play(voice)
				_, d := (&check{t: t, config: InputConfig{Device: "any", Child: rig.Child(ChildArg)}}).run()
				wantState(t, d, report.CaptureComplete)
				if *d.NativeRateHz != s.rateHz || *d.NativeChannels != s.channels {
					t.Errorf("native %d Hz × %d, want %d × %d", *d.NativeRateHz, *d.NativeChannels, s.rateHz, s.channels)
				}
				if math.Abs(*d.ActiveLevelDBFS+26) > 3 || *d.SpeechMS < 1500 {
					t.Errorf("%.1f dBFS, %.0f ms of speech; want about -26, at least 1500", *d.ActiveLevelDBFS, *d.SpeechMS)
				}
				if d.RateErrorPct != nil && math.Abs(*d.RateErrorPct) > 2 {
					t.Errorf("rate off by %.2f %%, want at most 2", *d.RateErrorPct)
				}
				rows[i] = fmt.Sprintf("| %s | %d | %d | %.1f | %.0f |", s.format, s.rateHz, s.channels, *d.ActiveLevelDBFS, *d.SpeechMS)
			})
		}
	})
	t.Log("\n" + strings.Join(rows, "\n"))
}

// TestPipeSource tests the formats with a real source instead of a monitor.
func TestPipeSource(t *testing.T) {
	for _, format := range []string{"s24-32le", "s16be", "alaw"} {
		t.Run(format, func(t *testing.T) {
			rig := pulserig.Start(t, pulserig.Config{NoDevices: true})
			fifo := filepath.Join(t.TempDir(), "pipe")
			rig.Load("module-pipe-source", "source_name=pipe", "file="+fifo, "format="+format, "rate=48000", "channels=1")
			encode := map[string][]string{"s24-32le": {"pcm_s32le", "s32le"}, "s16be": {"pcm_s16be", "s16be"}, "alaw": {"pcm_alaw", "alaw"}}[format]
			voice := pulserig.Say(t, pulserig.GermanText, "de", -26)
			raw, err := exec.Command("ffmpeg", "-v", "error", "-i", voice, "-c:a", encode[0], "-f", encode[1], "-ar", "48000", "-").Output()
			if err != nil {
				t.Fatal(err)
			}
			if format == "s24-32le" { // 24 bits in the low bytes of 32
				for i := 0; i+4 <= len(raw); i += 4 {
					binary.LittleEndian.PutUint32(raw[i:], uint32(int32(binary.LittleEndian.Uint32(raw[i:]))>>8)&0xFFFFFF)
				}
			}
			pipe, err := os.OpenFile(fifo, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { pipe.Close() })
			go func() {
				for {
					if _, err := pipe.Write(raw); err != nil {
						return
					}
				}
			}()
			_, d := (&check{t: t, config: InputConfig{Child: rig.Child(ChildArg)}}).run()
			wantState(t, d, report.CaptureComplete)
			if math.Abs(*d.ActiveLevelDBFS+26) > 3 || *d.SpeechMS < 1500 {
				t.Errorf("%.1f dBFS, %.0f ms of speech; want about -26, at least 1500", *d.ActiveLevelDBFS, *d.SpeechMS)
			}
		})
	}
}

// onChannels creates a WAV file with the voice on some channels, each with a gain;
// the others are digital silence.
func onChannels(t *testing.T, voice string, channels int, gains map[int]float64) string {
	t.Helper()
	samples := pulserig.Samples(t, voice)
	out := make([]float32, len(samples)*channels)
	for i, x := range samples {
		for c, gain := range gains {
			out[i*channels+c] = x * float32(gain)
		}
	}
	path := filepath.Join(t.TempDir(), "channels.raw")
	raw := make([]byte, 0, 4*len(out))
	for _, x := range out {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// arrayMap is the channel map of an interface whose inputs have no speaker
// positions.
func arrayMap(channels int) string {
	names := make([]string, channels)
	for i := range names {
		names[i] = fmt.Sprintf("aux%d", i)
	}
	return strings.Join(names, ",")
}

// channelCase is a voice on some channels of a multichannel device.
type channelCase struct {
	rateHz, channels int
	channelMap       string
	gains            map[int]float64
	levelDBFS        float64 // of the voice
	on               []int   // the channels, from 1, one of which must be reported
	mixDB            float64 // level of the mean of all channels, relative to the voice
	cause            string
}

func channelCases() map[string]channelCase {
	return map[string]channelCase{
		"one of four at 16 kHz":             {16000, 4, arrayMap(4), map[int]float64{2: 1}, -24, []int{3}, -12, ""},
		"one of four, softly":               {16000, 4, arrayMap(4), map[int]float64{1: 1}, -34, []int{2}, -12, "audio.too_quiet"},
		"fifth of eight":                    {48000, 8, arrayMap(8), map[int]float64{4: 1}, -26, []int{5}, -18, "audio.too_quiet"},
		"fifth of eight with positions":     {48000, 8, "", map[int]float64{4: 1}, -26, []int{5}, -18, "audio.too_quiet"},
		"array hears it everywhere":         {16000, 4, arrayMap(4), map[int]float64{0: 1, 1: 0.8, 2: 0.8, 3: 1}, -26, []int{1, 4}, -1, ""},
		"one side of stereo":                {48000, 2, "", map[int]float64{1: 1}, -26, []int{2}, -6, "audio.dead_channel"},
		"two of four out of phase":          {48000, 4, arrayMap(4), map[int]float64{0: 1, 1: -1}, -26, []int{1, 2}, -74, "audio.inverted_channel"},
		"both channels named front-left":    {48000, 2, "front-left,front-left", map[int]float64{1: 1}, -26, []int{2}, -6, "audio.dead_channel"},
		"only aux channels, two, one voice": {48000, 2, arrayMap(2), map[int]float64{1: 1}, -26, []int{2}, -6, "audio.dead_channel"},
	}
}

func TestChannelMaps(t *testing.T) {
	limits, err := diagnose.LoadProfile(diagnose.DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	limit := make(chan struct{}, 3)
	for name, c := range channelCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limit <- struct{}{}
			defer func() { <-limit }()
			file := onChannels(t, pulserig.Say(t, pulserig.GermanText, "de", c.levelDBFS), c.channels, c.gains)
			rig := pulserig.Start(t, pulserig.Config{NoMic: true})
			sink := []string{"module-null-sink", "sink_name=inputs", "rate=48000", fmt.Sprintf("channels=%d", c.channels), "format=float32le"}
			source := []string{"module-remap-source", "source_name=array", "master=inputs.monitor", "remix=no", fmt.Sprintf("rate=%d", c.rateHz), fmt.Sprintf("channels=%d", c.channels)}
			if c.channelMap != "" {
				sink = append(sink, "channel_map="+c.channelMap)
				source = append(source, "channel_map="+c.channelMap, "master_channel_map="+c.channelMap)
			}
			rig.Load(sink...)
			rig.Load(source...)
			rig.PlayRaw("inputs", file, 48000, c.channels)
			_, d := (&check{t: t, config: InputConfig{Device: "array", SpeakFor: 6 * time.Second, Child: rig.Child(ChildArg)}}).run()
			wantState(t, d, report.CaptureComplete)
			c.hold(t, d, limits)
		})
	}
}

// TestChannelsOfAFile checks that a file with the same channels yields the same
// result.
func TestChannelsOfAFile(t *testing.T) {
	limits, err := diagnose.LoadProfile(diagnose.DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range channelCases() {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(onChannels(t, pulserig.Say(t, pulserig.GermanText, "de", c.levelDBFS), c.channels, c.gains))
			if err != nil {
				t.Fatal(err)
			}
			d, err := Analyze(extensible(raw, 48000, c.channels))
			if err != nil && !errors.Is(err, wav.ErrTruncated) {
				t.Fatal(err)
			}
			c.hold(t, d, limits)
		})
	}
}

// extensible returns a WAVE_FORMAT_EXTENSIBLE file of 32-bit floats without speaker
// positions, as recorded from audio interfaces.
func extensible(raw []byte, rateHz, channels int) io.Reader {
	head := []byte("RIFF\x00\x00\x00\x00WAVEfmt ")
	add16 := func(v int) { head = binary.LittleEndian.AppendUint16(head, uint16(v)) }
	add32 := func(v int) { head = binary.LittleEndian.AppendUint32(head, uint32(v)) }
	add32(40)
	add16(0xFFFE)
	add16(channels)
	add32(rateHz)
	add32(4 * channels * rateHz)
	add16(4 * channels)
	add16(32)
	add16(22)
	add16(32)
	add32(0)
	head = append(head, "\x03\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71data"...)
	add32(len(raw))
	return strings.NewReader(string(head) + string(raw))
}

func (c channelCase) hold(t *testing.T, d *report.AudioInput, limits diagnose.Profile) {
	t.Helper()
	if d.VoiceChannel == nil || !slices.Contains(c.on, *d.VoiceChannel) {
		t.Errorf("the voice is on channel %v, want one of %v", d.VoiceChannel, c.on)
	}
	if math.Abs(*d.ActiveLevelDBFS-c.levelDBFS) > 3 {
		t.Errorf("active level %.1f dBFS, want %.0f", *d.ActiveLevelDBFS, c.levelDBFS)
	}
	if want := *d.ActiveLevelDBFS + c.mixDB; d.MixLevelDBFS == nil || math.Abs(*d.MixLevelDBFS-max(want, -100)) > 1 {
		t.Errorf("mixed %v dBFS, want %.1f", *d.MixLevelDBFS, want)
	}
	causes, _ := diagnose.Diagnose(&report.Report{Probes: []report.Result{{Name: report.ProbeAudioInput, Data: d}}}, limits)
	got := ""
	if len(causes) > 0 && causes[0].Primary {
		got = causes[0].Code
	}
	if got != c.cause {
		t.Errorf("got cause %q, want %q", got, c.cause)
	}
}
