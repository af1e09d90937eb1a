// Package osstate reads the operating system's state of microphones: muted, volume,
// native format, default, Bluetooth, and whether programs may record; and of
// loudspeakers, whether they are muted and their volume. It opens no stream.
package osstate

import (
	"context"
	"errors"
	"math"
)

// ErrUnsupported means that the state cannot be read on this system.
var ErrUnsupported = errors.New("the state of microphones cannot be read on this system")

// ErrNoServer means that no sound server runs: it was never started or has exited. A
// server that hangs causes another error.
var ErrNoServer = errors.New("there is no sound server")

// Snapshot is the state of all capture devices at one time.
type Snapshot struct {
	// Devices is keyed by the ID that the capture library uses: the source name on
	// PulseAudio, the endpoint ID on Windows, the UID on macOS.
	Devices map[string]Device `json:"devices,omitempty"`
	// DefaultID is the device for programs that do not choose one.
	DefaultID string `json:"default_id,omitempty"`
	// DefaultCommsID is the default communications device on Windows.
	DefaultCommsID string `json:"default_comms_id,omitempty"`
	// StreamDeviceID is the device from which this process currently records, where the
	// system provides it. It differs from the requested device after a reroute.
	StreamDeviceID string `json:"stream_device_id,omitempty"`
	// Uses lists the other programs that use microphones. The streams of this program
	// are excluded where the system identifies the owner of a stream; elsewhere only what
	// was read before the stream began counts.
	Uses Uses `json:"uses,omitzero"`
	// PrivacyDenied is true if the system's settings deny this program access to the
	// microphone, nil if they do not decide. The settings can be out of date (Windows
	// writes them late): report them as a cause only together with digital silence or a
	// refused open.
	PrivacyDenied *bool `json:"privacy_denied,omitempty"`
}

// Device is the state of one device. nil means that the system did not provide it.
type Device struct {
	Name string `json:"name,omitempty"` // as the system presents it; people can change it
	// Product is the name that the hardware reports, which people cannot change; empty
	// if the system does not distinguish it from Name.
	Product        string   `json:"product,omitempty"`
	Muted          *bool    `json:"muted,omitempty"`
	VolumeDB       *float64 `json:"volume_db,omitempty"` // 0 is unity, negative is lower; at least MinVolumeDB
	NativeRateHz   *int     `json:"native_rate_hz,omitempty"`
	NativeChannels *int     `json:"native_channels,omitempty"`
	IsMonitor      *bool    `json:"is_monitor,omitempty"`
	IsBluetooth    *bool    `json:"is_bluetooth,omitempty"`
	BluetoothCodec string   `json:"bluetooth_codec,omitempty"` // one of report.BluetoothCodecs
	// Unplugged is true if the jack of the device reports that nothing is plugged in. A
	// device that is itself unplugged is not listed.
	Unplugged *bool `json:"unplugged,omitempty"`
	// Suspended is true if the system has stopped the device while it is being recorded.
	Suspended *bool `json:"suspended,omitempty"`
}

// MinVolumeDB represents a volume of zero, which has no value in decibels.
const MinVolumeDB = -120

// Read queries the system. It returns even if the sound server hangs: after two seconds,
// on Linux after two seconds and one more for each address of a server that does not
// answer. streamPID is the process whose stream determines StreamDeviceID.
func Read(ctx context.Context, streamPID int) (Snapshot, error) {
	return read(ctx, streamPID)
}

// Watch sends on changed whenever the result of Read may have changed, until ctx is
// done. It returns ErrUnsupported if the system has no such events, and an error when
// they end. The caller then polls.
func Watch(ctx context.Context, changed chan<- struct{}) error { return watch(ctx, changed) }

// ReadOutputs is Read for loudspeakers. It sets only Devices and DefaultID.
func ReadOutputs(ctx context.Context) (Snapshot, error) { return readOutputs(ctx) }

func volumeDB(db float64) *float64 {
	if math.IsNaN(db) {
		return nil
	}
	return new(max(MinVolumeDB, db))
}
