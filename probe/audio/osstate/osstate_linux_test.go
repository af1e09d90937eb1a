package osstate

import (
	"math"
	"testing"

	"github.com/jfreymuth/pulse/proto"
)

func TestPulseVolumeIsCubic(t *testing.T) {
	for _, c := range []struct {
		channels proto.ChannelVolumes
		want     float64
	}{
		{proto.ChannelVolumes{0x10000}, 0},
		{proto.ChannelVolumes{0x10000 / 10}, -60},
		{proto.ChannelVolumes{0x10000 / 2}, -18.06},
		{proto.ChannelVolumes{0x10000 * 3 / 2}, 10.57},
		{proto.ChannelVolumes{0}, MinVolumeDB},
		{proto.ChannelVolumes{0, 0x10000}, 0}, // the loudest channel counts
	} {
		if got := pulseVolumeDB(c.channels); math.Abs(*got-c.want) > 0.01 {
			t.Errorf("%v: %.2f dB, want %.2f", c.channels, *got, c.want)
		}
	}
	for _, unknown := range []proto.ChannelVolumes{nil, {uint32(proto.VolumeInvalid), uint32(proto.VolumeInvalid)}} {
		if got := pulseVolumeDB(unknown); got != nil {
			t.Errorf("%v: got %.2f dB, want none", unknown, *got)
		}
	}
}

func TestPulseSource(t *testing.T) {
	headset := pulseSource(&proto.GetSourceInfoReply{
		SourceName: "bluez_input.00_11", Mute: true,
		SampleSpec:     proto.SampleSpec{Rate: 16000, Channels: 1},
		ChannelVolumes: proto.ChannelVolumes{0x10000},
		Properties: proto.PropList{
			"device.bus": proto.PropListString("bluetooth"), "api.bluez5.codec": proto.PropListString("msbc"),
			"device.description": proto.PropListString("Headset"),
		},
	})
	if !*headset.IsBluetooth || headset.BluetoothCodec != "msbc" || !*headset.Muted || *headset.NativeRateHz != 16000 || *headset.IsMonitor || headset.Name != "Headset" {
		t.Errorf("got headset %+v; want IsBluetooth true, BluetoothCodec %q, Muted true, NativeRateHz 16000, IsMonitor false, Name %q", headset, "msbc", "Headset")
	}
	monitor := pulseSource(&proto.GetSourceInfoReply{SourceName: "x.monitor", MonitorSourceName: "x"})
	if !*monitor.IsMonitor || *monitor.IsBluetooth {
		t.Errorf("got monitor %+v; want IsMonitor true, IsBluetooth false", monitor)
	}
}

func TestRecordingStreams(t *testing.T) {
	sources := proto.GetSourceInfoListReply{{SourceIndex: 4, SourceName: "camera"}, {SourceIndex: 7, SourceName: "headset"}}
	stream := func(source uint32, pid, binary, name string) *proto.GetSourceOutputInfoReply {
		p := proto.PropList{"application.process.binary": proto.PropListString(binary), "application.name": proto.PropListString(name)}
		if pid != "" {
			p["application.process.id"] = proto.PropListString(pid)
		}
		return &proto.GetSourceOutputInfoReply{SourceIndex: source, Properties: p}
	}
	streams := recordingStreams(proto.GetSourceOutputInfoListReply{
		stream(4, "12", "chrome", "Google Chrome input"), stream(7, "34", "annas-tool", "Annas Tool"), stream(7, "", "", "remap"),
	}, sources)
	if got := deviceOf(streams, 34); got != "headset" {
		t.Errorf("stream 34: got device %q, want headset", got)
	}
	if got := deviceOf(streams, 56); got != "" {
		t.Errorf("stream 56: got device %q, want none", got)
	}
	uses := usesOf(streams)
	for device, want := range map[string]struct {
		used    bool
		program string
	}{"camera": {true, "Chrome"}, "headset": {true, ""}, "other": {false, ""}} {
		if used, program := uses.Of(device); used == nil || *used != want.used || program != want.program {
			t.Errorf("%s: used %v by %q, want %v by %q", device, show(used), program, want.used, want.program)
		}
	}
}
