package voices

import (
	"context"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
)

// Sound is a fixture as a microphone delivers it.
type Sound struct {
	Samples  []float32 // interleaved, ±1 being full scale
	RateHz   int
	Channels int
}

// Sound generates the recording of the fixture.
func (f Fixture) Sound(ctx context.Context, studio *Studio) (Sound, error) {
	t, err := f.record(ctx, studio)
	if err != nil {
		return Sound{}, err
	}
	return Sound{Samples: t.interleaved(), RateHz: t.rateHz, Channels: len(t.channels)}, nil
}

// System returns the device as the operating system and the capture library describe it.
func (f Fixture) System() (capture.Device, osstate.Device) {
	d := capture.Device{ID: "mic", Name: "Microphone", IsDefault: true, IsBluetooth: f.Device.Bluetooth, NativeRateHz: f.Device.NativeRateHz}
	if d.NativeRateHz == 0 {
		d.NativeRateHz = f.RateHz
	}
	return d, osstate.Device{Muted: f.Device.Muted, VolumeDB: f.Device.VolumeDB}
}
