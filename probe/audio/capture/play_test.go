package capture

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

func TestPlayerPlaysTheSoundOnce(t *testing.T) {
	now := int64(0)
	sound := soundBytes([]float32{0.5, -0.5, 2, float32(math.NaN())})
	p := newPlayer(bytes.Clone(sound), 2, func() int64 { return now })
	lead := p.lead
	var all []byte
	for range 2 * (p.lead + p.tail) / 960 {
		out := bytes.Repeat([]byte{0xFF}, 968)
		p.fill(out)
		all = append(all, out...)
	}
	at := <-p.began
	if want := int64(lead%968/8) * 1e9 / RateHz; at != want {
		t.Errorf("sound begins at %d ns of its callback, want %d", at, want)
	}
	if !bytes.Equal(all[lead:lead+len(sound)], sound) {
		t.Errorf("played %v, want %v", all[lead:lead+len(sound)], sound)
	}
	if rest := append(all[:lead:lead], all[lead+len(sound):]...); bytes.Count(rest, []byte{0}) != len(rest) {
		t.Error("no silence around the sound")
	}
	<-p.over
}

func TestBadSounds(t *testing.T) {
	for _, r := range []Request{
		{Op: OpPlay}, {Op: OpLoop, Frames: 1, Channels: 99}, {Op: OpPlay, Frames: -1, Channels: 1}, {Op: OpPlay, Frames: 1 << 40, Channels: 1},
		{Op: OpPlay, Frames: 3, Channels: 1},
	} {
		if b, err := readSound(strings.NewReader("too short"), r); err == nil {
			t.Errorf("request %+v with %d bytes of sound was accepted", r, len(b))
		}
	}
	if b, err := readSound(strings.NewReader("12345678rest"), Request{Op: OpLoop, Frames: 1, Channels: 2}); err != nil || string(b) != "12345678" {
		t.Errorf("got %q, error %v; want the first 8 bytes", b, err)
	}
	in := strings.NewReader(`{"op":"play","limit_ms":1000,"frames":99,"channels":1}` + "\nshort")
	if got := ChildMain(in, &bytes.Buffer{}); got != exitBadInput {
		t.Errorf("exit status %d, want %d", got, exitBadInput)
	}
}

func TestFaultyPlayers(t *testing.T) {
	for name, want := range map[string]report.CaptureState{
		"never finishes": report.CaptureStalled,
		"dies playing":   report.CaptureDied,
		"plays":          "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := runFake(t, name, OpPlay, quick(), nil)
			var e *Error
			if want == "" && err != nil || want != "" && (!errors.As(err, &e) || e.State != want) {
				t.Errorf("got error %v, want state %q", err, want)
			}
		})
	}
}
