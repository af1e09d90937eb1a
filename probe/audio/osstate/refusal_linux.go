package osstate

import (
	"context"
	"errors"

	"github.com/jfreymuth/pulse/proto"
)

// WhyRefused says why the system lets no stream be opened from the microphone
// (the default one if empty). miniaudio turns every refusal of a sound server
// into the same error, so the same stream is asked for once more, only to read
// the answer: PipeWire refuses with "access denied" what a sandbox may not hear,
// and with "busy" what another program holds.
func WhyRefused(ctx context.Context, deviceID string) Refusal {
	client, conn, err := dialPulse(ctx, nil)
	if err != nil {
		return RefusalUnknown
	}
	defer conn.Close() // ends the stream, should there be one after all
	var reply proto.CreateRecordStreamReply
	err = client.Request(&proto.CreateRecordStream{
		SourceIndex: proto.Undefined, SourceName: deviceID,
		SampleSpec: proto.SampleSpec{Format: proto.FormatFloat32LE, Channels: 1, Rate: 48000},
		ChannelMap: proto.ChannelMap{proto.ChannelMono}, ChannelVolumes: proto.ChannelVolumes{uint32(proto.VolumeNorm)},
		BufferMaxLength: proto.Undefined, BufferFragSize: proto.Undefined, DirectOnInputIndex: proto.Undefined,
		Corked: true, Properties: proto.PropList{},
	}, &reply)
	switch {
	case errors.Is(err, proto.ErrAccessDenied):
		return RefusalDenied
	case errors.Is(err, proto.ErrDeviceOrEesourceBusy):
		return RefusalBusy
	}
	return RefusalUnknown
}
