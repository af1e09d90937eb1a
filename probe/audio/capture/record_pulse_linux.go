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

// defaultSource is PulseAudio's name for whatever is the default (namereg.c).
const defaultSource = "@DEFAULT_SOURCE@"

// openTimeout outlasts the parent's patience (Patience.Open), which decides: a
// Bluetooth headset switches its profile in up to 3 s before the stream exists.
const openTimeout = 30 * time.Second

// recordPulse records over PulseAudio's native protocol, which PipeWire's server
// speaks as well.
//
// miniaudio 0.11.25 is not used for it, for two reasons. It asks for the source's
// own sample format with PA_STREAM_FIX_FORMAT where it does not know that format
// (s24-32, A-law, mu-law, big endian), gets it, and fails. And it asks for a
// default channel map of as many channels (ma_device_init__pulse), so that the
// server remixes by position: what is on aux channels is lost, what is on one of
// four channels arrives softer. Here the server converts the samples, and the
// channels come as the source has them.
func recordPulse(deviceID string, channels int, onFrames func([]byte), onStop func()) error {
	ctx := context.Background() // the connection lives as long as the process
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
		// What the server keeps while this process is late it throws away beyond
		// that. Conference programs have it keep as much as it can.
		BufferMaxLength: uint32(period * pulseKeeps), BufferFragSize: uint32(period), AdjustLatency: true,
		// A map that names a position twice would have the server mix the two.
		NoRemap: hasTwins(channelMap),
		// A device that was chosen is not exchanged for another one.
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
	// The first sound can overtake the answer, and onFrames waits for this function
	// to return, with the connection's only reader.
	go func() {
		if client.Request(&proto.CorkRecordStream{StreamIndex: reply.StreamIndex, Corked: false}, nil) != nil {
			onStop()
		}
	}()
	return nil
}

// sourceMap is the source's own channel map, or one that has the server mix where
// the source has another number of channels than expected.
func sourceMap(client *proto.Client, deviceID string, channels int) (proto.ChannelMap, error) {
	name := deviceID
	if name == "" {
		name = defaultSource
	}
	var source proto.GetSourceInfoReply
	if err := client.Request(&proto.GetSourceInfo{SourceIndex: proto.Undefined, SourceName: name}, &source); err != nil {
		return nil, fmt.Errorf("ask for the channels of the source: %w", err)
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

// pulseError names the reason for which a source does not open. PipeWire refuses
// with "access denied" what a sandbox may not hear, and with "busy" what another
// program holds.
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
