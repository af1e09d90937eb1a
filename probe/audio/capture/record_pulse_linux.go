//go:build cgo

package capture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/jfreymuth/pulse/proto"

	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// defaultSource is PulseAudio's name for the default source (namereg.c).
const defaultSource = "@DEFAULT_SOURCE@"

// openTimeout is longer than Patience.Open of the parent, which decides. A Bluetooth
// headset takes up to 3 s to switch its profile before the stream exists.
const openTimeout = 30 * time.Second

// recordPulse records over PulseAudio's native protocol, which PipeWire's server
// implements too.
//
// It replaces miniaudio 0.11.25 for two reasons. For a sample format that miniaudio
// does not know (s24-32, A-law, mu-law, big endian) it requests the source's own format
// with PA_STREAM_FIX_FORMAT, receives it, and fails. And it requests a default channel
// map with the same number of channels (ma_device_init__pulse), so that the server
// remixes by position: aux channels are lost, and a voice on one of four channels is
// attenuated. Here the server converts the samples, and the channels remain as they are.
func recordPulse(deviceID string, channels int, onFrames func([]byte), onStop func()) error {
	ctx := context.Background() // the connection lasts as long as the process
	period := 4 * channels * RateHz * periodMS / 1000
	client, conn, err := osstate.DialPulse(ctx, func(event any) {
		switch event := event.(type) {
		case *proto.DataPacket:
			for part := range slices.Chunk(event.Data, period) {
				onFrames(part)
			}
		case *proto.RecordStreamKilled, *proto.ConnectionClosed:
			onStop()
		}
	})
	if err != nil {
		return noServer(err)
	}
	client.SetTimeout(openTimeout)
	channelMap, err := sourceMap(client, deviceID, channels)
	if err != nil {
		conn.Close()
		return pulseError(err)
	}
	request := proto.CreateRecordStream{
		SourceIndex: proto.Undefined, SourceName: deviceID,
		SampleSpec:     proto.SampleSpec{Format: proto.FormatFloat32LE, Channels: byte(channels), Rate: RateHz},
		ChannelMap:     channelMap,
		ChannelVolumes: slices.Repeat(proto.ChannelVolumes{uint32(proto.VolumeNorm)}, channels),
		// The server discards samples beyond this limit while this process is late.
		// Conference programs request the maximum.
		BufferMaxLength: uint32(period * pulseKeeps), BufferFragSize: uint32(period), AdjustLatency: true,
		// With a map that contains a position twice, the server would mix the two channels.
		NoRemap: hasTwins(channelMap),
		// A device that was chosen explicitly is not replaced by another one.
		NoMove:             deviceID != "",
		DirectOnInputIndex: proto.Undefined, Corked: true,
		Properties: proto.PropList{
			"media.name":                 proto.PropListString("Tonprobe"),
			"application.process.id":     proto.PropListString(strconv.Itoa(os.Getpid())),
			"application.process.binary": proto.PropListString("tonprobe"),
		},
	}
	var reply proto.CreateRecordStreamReply
	if err := client.Request(&request, &reply); err != nil {
		conn.Close()
		return pulseError(err)
	}
	// The first samples can precede the reply, and onFrames waits for this function to
	// return, which would block the only reader of the connection.
	go func() {
		if client.Request(&proto.CorkRecordStream{StreamIndex: reply.StreamIndex, Corked: false}, nil) != nil {
			onStop()
		}
	}()
	return nil
}

// sourceMap returns the source's own channel map. If the source has another number
// of channels than expected, it returns a map with which the server mixes them.
func sourceMap(client *proto.Client, deviceID string, channels int) (proto.ChannelMap, error) {
	name := deviceID
	if name == "" {
		name = defaultSource
	}
	var source proto.GetSourceInfoReply
	if err := client.Request(&proto.GetSourceInfo{SourceIndex: proto.Undefined, SourceName: name}, &source); err != nil {
		return nil, fmt.Errorf("query the channels of the source: %w", err)
	}
	switch {
	case len(source.ChannelMap) == channels:
		return source.ChannelMap, nil
	case channels == 1:
		return proto.ChannelMap{proto.ChannelMono}, nil
	}
	m := make(proto.ChannelMap, channels)
	for i := range m {
		m[i] = byte(proto.ChannelAux0) + byte(i)
	}
	return m, nil
}

func hasTwins(m proto.ChannelMap) bool {
	seen := map[byte]bool{}
	for _, position := range m {
		if seen[position] {
			return true
		}
		seen[position] = true
	}
	return false
}

// pulseError classifies the error of a source that does not open. PipeWire replies
// "access denied" if a sandbox may not record, and "busy" if another program holds the
// device.
func pulseError(err error) error {
	state := report.CaptureDied
	switch {
	case errors.Is(err, proto.ErrAccessDenied):
		state = report.CaptureRefused
	case errors.Is(err, proto.ErrDeviceOrEesourceBusy):
		state = report.CaptureInUse
	case errors.Is(err, proto.ErrNoSuchEntity):
		state = report.CaptureNoDevice
	}
	return &startError{state: state, text: fmt.Sprintf("open microphone: %v", err)}
}
