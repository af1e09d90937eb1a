package osstate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jfreymuth/pulse/proto"
)

// pulseTimeout bounds every request; a stopped server accepts the connection
// and then says nothing.
const pulseTimeout = time.Second

// read asks PulseAudio, or PipeWire's server of the same protocol.
func read(ctx context.Context, streamPID int) (Snapshot, error) {
	client, conn, err := dialPulse(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	defer conn.Close()
	var server proto.GetServerInfoReply
	if err := client.Request(&proto.GetServerInfo{}, &server); err != nil {
		return Snapshot{}, fmt.Errorf("ask sound server: %w", err)
	}
	var sources proto.GetSourceInfoListReply
	if err := client.Request(&proto.GetSourceInfoList{}, &sources); err != nil {
		return Snapshot{}, fmt.Errorf("list sound sources: %w", err)
	}
	s := Snapshot{Devices: make(map[string]Device, len(sources)), DefaultID: server.DefaultSourceName}
	for _, src := range sources {
		s.Devices[src.SourceName] = pulseDevice(src)
	}
	if streamPID != 0 {
		var outputs proto.GetSourceOutputInfoListReply
		if err := client.Request(&proto.GetSourceOutputInfoList{}, &outputs); err == nil {
			s.StreamDeviceID = streamSource(outputs, sources, streamPID)
		}
	}
	return s, nil
}

func readOutputs(ctx context.Context) (Snapshot, error) {
	client, conn, err := dialPulse(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	defer conn.Close()
	var server proto.GetServerInfoReply
	if err := client.Request(&proto.GetServerInfo{}, &server); err != nil {
		return Snapshot{}, fmt.Errorf("ask sound server: %w", err)
	}
	var sinks proto.GetSinkInfoListReply
	if err := client.Request(&proto.GetSinkInfoList{}, &sinks); err != nil {
		return Snapshot{}, fmt.Errorf("list loudspeakers: %w", err)
	}
	s := Snapshot{Devices: make(map[string]Device, len(sinks)), DefaultID: server.DefaultSinkName}
	for _, sink := range sinks {
		s.Devices[sink.SinkName] = Device{
			Name:           property(sink.Properties, "device.description"),
			Muted:          new(sink.Mute),
			VolumeDB:       pulseVolumeDB(sink.ChannelVolumes),
			NativeRateHz:   new(int(sink.Rate)),
			NativeChannels: new(int(sink.Channels)),
			IsBluetooth:    new(isPulseBluetooth(sink.SinkName, sink.Properties)),
			BluetoothCodec: bluetoothCodec(sink.Properties),
		}
	}
	return s, nil
}

// dialPulse connects as proto.Connect does. That one is not used because it
// leaves Callback unset, which panics when the server hangs up.
func dialPulse(ctx context.Context) (*proto.Client, net.Conn, error) {
	network, addr := pulseAddress(os.Getenv)
	dialer := net.Dialer{Timeout: pulseTimeout}
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to sound server: %w", err)
	}
	_ = conn.SetDeadline(time.Now().Add(2 * pulseTimeout)) // a socket's deadline is wall clock by nature
	cookie, err := pulseCookie(os.Getenv)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	client := &proto.Client{Callback: func(any) {}}
	client.SetTimeout(pulseTimeout)
	client.Open(conn)
	var auth proto.AuthReply
	if err := client.Request(&proto.Auth{Version: client.Version(), Cookie: cookie}, &auth); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("sign in to sound server: %w", err)
	}
	client.SetVersion(auth.Version)
	name := proto.SetClientName{Props: proto.PropList{"application.name": proto.PropListString("Tonprobe")}}
	if err := client.Request(&name, &proto.SetClientNameReply{}); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("sign in to sound server: %w", err)
	}
	return client, conn, nil
}

// pulseAddress is the first usable server string of PULSE_SERVER, else the
// socket in the user's runtime directory.
func pulseAddress(getenv func(string) string) (network, addr string) {
	for _, s := range strings.Fields(getenv("PULSE_SERVER")) {
		if _, rest, ok := strings.Cut(s, "}"); ok && s[0] == '{' {
			s = rest
		}
		for prefix, n := range map[string]string{"unix:": "unix", "tcp:": "tcp", "tcp4:": "tcp4", "tcp6:": "tcp6"} {
			if a, ok := strings.CutPrefix(s, prefix); ok {
				return n, withPulsePort(n, a)
			}
		}
		if strings.HasPrefix(s, "/") {
			return "unix", s
		}
	}
	if dir := getenv("PULSE_RUNTIME_PATH"); dir != "" {
		return "unix", filepath.Join(dir, "native")
	}
	dir := getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		dir = "/run/user/" + strconv.Itoa(os.Getuid())
	}
	return "unix", filepath.Join(dir, "pulse", "native")
}

func withPulsePort(network, addr string) string {
	if network == "unix" {
		return addr
	}
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr
	}
	return net.JoinHostPort(strings.Trim(addr, "[]"), "4713")
}

// pulseCookie returns the shared secret. A server on the same account accepts
// any cookie over its socket, so a missing file is no error.
func pulseCookie(getenv func(string) string) ([]byte, error) {
	path := getenv("PULSE_COOKIE")
	if path == "" {
		path = filepath.Join(getenv("HOME"), ".config", "pulse", "cookie")
	}
	cookie, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return make([]byte, 256), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the sound server's cookie: %w", err)
	}
	return cookie, nil
}

func pulseDevice(src *proto.GetSourceInfoReply) Device {
	monitor := src.MonitorSourceName != "" || property(src.Properties, "device.class") == "monitor"
	return Device{
		Name:           property(src.Properties, "device.description"),
		Muted:          new(src.Mute),
		VolumeDB:       pulseVolumeDB(src.ChannelVolumes),
		NativeRateHz:   new(int(src.Rate)),
		NativeChannels: new(int(src.Channels)),
		IsMonitor:      new(monitor),
		IsBluetooth:    new(isPulseBluetooth(src.SourceName, src.Properties)),
		BluetoothCodec: bluetoothCodec(src.Properties),
	}
}

func isPulseBluetooth(name string, p proto.PropList) bool {
	return property(p, "device.bus") == "bluetooth" || bluetoothCodec(p) != "" || strings.HasPrefix(name, "bluez_")
}

func bluetoothCodec(p proto.PropList) string {
	if codec := property(p, "bluetooth.codec"); codec != "" {
		return codec
	}
	return property(p, "api.bluez5.codec") // PipeWire's name for it
}

func property(p proto.PropList, key string) string {
	if v, ok := p[key]; ok {
		return v.String()
	}
	return ""
}

// pulseVolumeDB is the loudest channel's volume. PulseAudio's scale is cubic:
// amplitude = (v/65536)³, so 10 % is -60 dB.
func pulseVolumeDB(channels proto.ChannelVolumes) *float64 {
	var loudest uint32
	for _, v := range channels {
		if v != uint32(proto.VolumeInvalid) {
			loudest = max(loudest, v)
		}
	}
	if len(channels) == 0 {
		return nil
	}
	return volumeDB(60 * math.Log10(float64(loudest)/float64(proto.VolumeNorm)))
}

// streamSource is the name of the source from which the process pid records.
func streamSource(outputs proto.GetSourceOutputInfoListReply, sources proto.GetSourceInfoListReply, pid int) string {
	for _, out := range outputs {
		if property(out.Properties, "application.process.id") != strconv.Itoa(pid) {
			continue
		}
		for _, src := range sources {
			if src.SourceIndex == out.SourceIndex {
				return src.SourceName
			}
		}
	}
	return ""
}
