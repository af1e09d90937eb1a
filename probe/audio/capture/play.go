package capture

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// playLead is silence before the sound. Systems fade streams in, and some drop the
	// first moments while the amplifier powers up.
	playLead = 300 * time.Millisecond
	// playTail is silence after the sound, so that closing the stream does not cut it off.
	playTail = 500 * time.Millisecond
	// loopSettle is how long the microphone runs before the sound begins.
	loopSettle = 300 * time.Millisecond
	// playPeriodMS is short because it is part of the measured delay.
	playPeriodMS = 10
)

// readSound reads the sound that follows the request.
func readSound(r io.Reader, req Request) ([]byte, error) {
	if !req.Op.plays() {
		return nil, nil
	}
	longest := int(MaxPlay/time.Second) * RateHz
	if req.Frames < 1 || req.Frames > longest || req.Channels < 1 || req.Channels > maxPlayChannels {
		return nil, fmt.Errorf("read capture request: a sound of %d frames on %d channels", req.Frames, req.Channels)
	}
	sound := make([]byte, 4*req.Frames*req.Channels)
	if _, err := io.ReadFull(r, sound); err != nil {
		return nil, fmt.Errorf("read the sound to play: %w", err)
	}
	return sound, nil
}

// soundBytes encodes a sound. NaN and infinite values become silence.
func soundBytes(sound []float32) []byte {
	b := make([]byte, 4*len(sound))
	for i, x := range sound {
		if x-x != 0 {
			x = 0
		}
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(max(-1, min(1, x))))
	}
	return b
}

// play plays the sound once. It uses a context of its own, because sound systems
// require one per open device (miniaudio issue 376).
func (c *child) play(ctx context.Context, req Request, sound []byte) error {
	system, err := openEngine()
	if err != nil {
		return err
	}
	outputs, err := system.outputs()
	if err != nil {
		return err
	}
	state, err := osstate.ReadOutputs(ctx)
	if err == nil {
		outputs = withState(outputs, state)
	}
	if req.Op == OpPlay {
		c.send(Devices{Backend: system.backend(), Outputs: outputs})
	}
	if len(outputs) == 0 {
		return &startError{state: report.CaptureNoDevice, text: "the sound system has no loudspeaker"}
	}
	device, err := pick(outputs, req.Output)
	if err != nil {
		return err
	}
	openID := device.ID
	if req.Output == "" && device.IsDefault {
		openID = ""
	}
	p := newPlayer(sound, req.Channels, c.sinceStart)
	if err := system.play(openID, req.Channels, p.fill); err != nil {
		return err
	}
	known := state.Devices[device.ID]
	select {
	case at := <-p.began:
		c.send(Playing{Device: device, Muted: known.Muted, VolumeDB: known.VolumeDB, AtNS: at})
	case <-ctx.Done():
		return nil
	}
	select {
	case <-p.over:
		if state, err := osstate.ReadOutputs(ctx); err == nil {
			known = state.Devices[device.ID]
		}
		c.send(Played{Muted: known.Muted, VolumeDB: known.VolumeDB})
	case <-ctx.Done():
	}
	return nil
}

// player supplies silence, the sound, and silence without end. fill runs in the
// callback of the sound system and never blocks.
type player struct {
	sound      []byte
	frameBytes int
	clock      func() int64
	lead, tail int // bytes of silence that remain
	begun      bool
	ended      bool
	began      chan int64 // receives the time of the first sample
	over       chan struct{}
}

func newPlayer(sound []byte, channels int, clock func() int64) *player {
	frameBytes := 4 * channels
	silence := func(d time.Duration) int { return int(d*RateHz/time.Second) * frameBytes }
	return &player{
		sound: sound, frameBytes: frameBytes, clock: clock, lead: silence(playLead), tail: silence(playTail),
		began: make(chan int64, 1), over: make(chan struct{}),
	}
}

func (p *player) fill(out []byte) {
	clear(out)
	quiet := min(p.lead, len(out))
	p.lead -= quiet
	if out = out[quiet:]; len(out) == 0 {
		return
	}
	if !p.begun {
		p.begun = true
		p.began <- p.clock() + int64(quiet/p.frameBytes)*int64(time.Second)/RateHz
	}
	n := copy(out, p.sound)
	p.sound = p.sound[n:]
	p.tail -= len(out) - n
	if p.tail <= 0 && !p.ended {
		p.ended = true
		close(p.over)
	}
}
