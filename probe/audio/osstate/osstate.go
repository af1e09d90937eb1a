// Package osstate asks the operating system what it says of its microphones:
// muted, volume, native format, default, Bluetooth, and whether programs may
// listen at all; and of its loudspeakers, whether they are muted and how loud.
// It opens no stream.
package osstate

import (
	"context"
	"errors"
	"math"
)

// ErrUnsupported means that this system cannot be asked.
var ErrUnsupported = errors.New("the state of microphones cannot be read on this system")

// ErrNoServer means that the sound server is not there: it never ran, or it has
// ended. A server that hangs gives another error.
var ErrNoServer = errors.New("there is no sound server")

// Snapshot is the state of all capture devices at one moment.
type Snapshot struct {
	// Devices by the ID that the capture library uses too: the source name on
	// PulseAudio, the endpoint ID on Windows, the UID on macOS.
	Devices map[string]Device `json:"devices,omitempty"`
	// DefaultID is the device programs get when they do not choose.
	DefaultID string `json:"default_id,omitempty"`
	// DefaultCommsID is what call programs get on Windows.
	DefaultCommsID string `json:"default_comms_id,omitempty"`
	// StreamDeviceID is the device this process records from now, where the
	// system tells; it differs from the one asked for after a reroute.
	StreamDeviceID string `json:"stream_device_id,omitempty"`
	// Uses are the other programs at the microphones. This program's own
	// streams are left out where the system tells whose a stream is; elsewhere
	// only what was read before the stream began counts.
	Uses Uses `json:"uses,omitzero"`
	// PrivacyDenied is true when the system's settings keep this program from
	// the microphone, nil when they do not say. The settings may be read wrongly
	// (Windows writes them late): name them as a cause only beside digital
	// silence or a refused open.
	PrivacyDenied *bool `json:"privacy_denied,omitempty"`
}

// Device is the state of one device. Nil means: the system did not say.
type Device struct {
	Name string `json:"name,omitempty"` // as the system shows it; people can change it
	// Product is the name that the hardware gave to the system, which people
	// cannot change; empty where the system does not keep it apart from Name.
	Product        string   `json:"product,omitempty"`
	Muted          *bool    `json:"muted,omitempty"`
	VolumeDB       *float64 `json:"volume_db,omitempty"` // 0 is unity, negative is softer; never below MinVolumeDB
	NativeRateHz   *int     `json:"native_rate_hz,omitempty"`
	NativeChannels *int     `json:"native_channels,omitempty"`
	IsMonitor      *bool    `json:"is_monitor,omitempty"`
	IsBluetooth    *bool    `json:"is_bluetooth,omitempty"`
	BluetoothCodec string   `json:"bluetooth_codec,omitempty"` // one of report.BluetoothCodecs
	// Unplugged is true when nothing is plugged into the device's socket, as far
	// as the socket can tell. A device that is itself unplugged is in no list.
	Unplugged *bool `json:"unplugged,omitempty"`
	// Suspended is true when the system has stopped the device although somebody
	// records from it.
	Suspended *bool `json:"suspended,omitempty"`
}

// MinVolumeDB stands for a volume of nothing at all, which has no decibels.
const MinVolumeDB = -120

// Read asks the system. It returns within two seconds even when the sound
// server hangs. streamPID is the process whose stream StreamDeviceID names.
func Read(ctx context.Context, streamPID int) (Snapshot, error) {
	return read(ctx, streamPID)
}

// Watch sends on changed whenever something may have changed that Read tells,
// until ctx is done. It returns ErrUnsupported where the system does not say so
// by itself, and an error when it no longer does; the caller then asks in turns.
func Watch(ctx context.Context, changed chan<- struct{}) error { return watch(ctx, changed) }

// ReadOutputs is Read for the loudspeakers. Of the snapshot only Devices and
// DefaultID are filled in.
func ReadOutputs(ctx context.Context) (Snapshot, error) { return readOutputs(ctx) }

func volumeDB(db float64) *float64 {
	if math.IsNaN(db) {
		return nil
	}
	return new(max(MinVolumeDB, db))
}
