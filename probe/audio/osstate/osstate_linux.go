package osstate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jfreymuth/pulse/proto"

	"github.com/tonprobe/tonprobe/probe/report"
)

// pulseTimeout limits every request. A stopped server accepts the connection and
// then does not reply.
const pulseTimeout = time.Second

// read queries PulseAudio, or PipeWire's server for the same protocol.
func read(ctx context.Context, streamPID int) (Snapshot, error) {
	return askPulse(ctx, func(client *proto.Client, server proto.GetServerInfoReply) (Snapshot, error) {
		var sources proto.GetSourceInfoListReply
		if err := client.Request(&proto.GetSourceInfoList{}, &sources); err != nil {
			return Snapshot{}, fmt.Errorf("list sound sources: %w", err)
		}
		s := Snapshot{Devices: make(map[string]Device, len(sources)), DefaultID: server.DefaultSourceName}
		for _, src := range sources {
			s.Devices[src.SourceName] = pulseSource(src)
		}
		var outputs proto.GetSourceOutputInfoListReply
		if err := client.Request(&proto.GetSourceOutputInfoList{}, &outputs); err == nil {
			streams := recordingStreams(outputs, sources)
			s.StreamDeviceID = deviceOf(streams, streamPID)
			s.Uses = usesOf(streams)
		}
		return s, nil
	})
}

func readOutputs(ctx context.Context) (Snapshot, error) {
	return askPulse(ctx, func(client *proto.Client, server proto.GetServerInfoReply) (Snapshot, error) {
		var sinks proto.GetSinkInfoListReply
		if err := client.Request(&proto.GetSinkInfoList{}, &sinks); err != nil {
			return Snapshot{}, fmt.Errorf("list loudspeakers: %w", err)
		}
		s := Snapshot{Devices: make(map[string]Device, len(sinks)), DefaultID: server.DefaultSinkName}
		for _, sink := range sinks {
			s.Devices[sink.SinkName] = pulseDevice(sink.SinkName, sink.Properties, sink.SampleSpec, sink.Mute, sink.ChannelVolumes)
		}
		return s, nil
	})
}

// askPulse opens a connection to the sound server and calls list on it.
func askPulse(ctx context.Context, list func(*proto.Client, proto.GetServerInfoReply) (Snapshot, error)) (Snapshot, error) {
	client, conn, err := dialPulse(ctx, nil)
	if err != nil {
		return Snapshot{}, err
	}
	defer conn.Close()
	var server proto.GetServerInfoReply
	if err := client.Request(&proto.GetServerInfo{}, &server); err != nil {
		return Snapshot{}, fmt.Errorf("query the sound server: %w", err)
	}
	return list(client, server)
}

// dialPulse connects like proto.Connect, which is not used because it leaves
// Callback unset, which panics when the server disconnects, and because it searches
// fewer places for server and cookie than libpulse. onEvent, if not nil, is called for
// unsolicited messages.
func dialPulse(ctx context.Context, onEvent func(any)) (*proto.Client, net.Conn, error) {
	places := ourPulsePlaces()
	conn, err := dialFirst(ctx, places.addresses())
	if err != nil {
		return nil, nil, err
	}
	// An unreadable cookie matters only if the server requires one.
	cookie, cookieErr := places.cookie()
	client := &proto.Client{Callback: func(any) {}}
	if onEvent != nil {
		client.Callback = onEvent
	} else {
		_ = conn.SetDeadline(time.Now().Add(2 * pulseTimeout)) // deadlines of sockets use wall-clock time
	}
	client.SetTimeout(pulseTimeout)
	client.Open(conn)
	var auth proto.AuthReply
	if err := client.Request(&proto.Auth{Version: client.Version(), Cookie: cookie}, &auth); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("sign in to sound server: %w", errors.Join(err, cookieErr))
	}
	client.SetVersion(auth.Version)
	name := proto.SetClientName{Props: proto.PropList{"application.name": proto.PropListString("Tonprobe")}}
	if err := client.Request(&name, &proto.SetClientNameReply{}); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("sign in to sound server: %w", err)
	}
	return client, conn, nil
}

// dialFirst connects to the first server that accepts. The error includes ErrNoServer
// if none of them runs; a server that hangs is a different error.
func dialFirst(ctx context.Context, servers []pulseAddress) (net.Conn, error) {
	absent := true
	var all error
	for _, server := range servers {
		conn, err := dialWithRetry(ctx, server.network, server.addr)
		if err == nil {
			return conn, nil
		}
		all = errors.Join(all, err)
		absent = absent && (errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist))
	}
	if absent {
		all = errors.Join(ErrNoServer, all)
	}
	return nil, fmt.Errorf("connect to sound server: %w", all)
}

// dialRetry is the pause before another attempt at a socket whose queue is full.
const dialRetry = 20 * time.Millisecond

// dialWithRetry repeats an attempt that fails with EAGAIN. PulseAudio listens with a
// backlog of 5, and Linux does not wait for room in the queue of a nonblocking Unix
// socket (unix(7), connect(2)). Several programs that start together, as after
// signing in, fill that queue.
func dialWithRetry(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, pulseTimeout)
	defer cancel()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, network, addr)
		if !errors.Is(err, syscall.EAGAIN) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(dialRetry):
		}
	}
}

// pulseDevice converts the common properties of sources and sinks.
func pulseDevice(name string, p proto.PropList, spec proto.SampleSpec, muted bool, volumes proto.ChannelVolumes) Device {
	return Device{
		Name:           property(p, "device.description"),
		Product:        pulseProduct(name, p),
		Muted:          new(muted),
		VolumeDB:       pulseVolumeDB(volumes),
		NativeRateHz:   new(int(spec.Rate)),
		NativeChannels: new(int(spec.Channels)),
		IsBluetooth:    new(isPulseBluetooth(name, p)),
		BluetoothCodec: bluetoothCodecName(bluetoothCodec(p)),
	}
}

// States of sources and ports (pulse/def.h: pa_source_state, pa_port_available).
const (
	sourceSuspended = 2
	portUnknown     = 0
	portAbsent      = 1
)

func pulseSource(src *proto.GetSourceInfoReply) Device {
	d := pulseDevice(src.SourceName, src.Properties, src.SampleSpec, src.Mute, src.ChannelVolumes)
	d.IsMonitor = new(src.MonitorSourceName != "" || property(src.Properties, "device.class") == "monitor")
	d.Suspended = new(src.State == sourceSuspended)
	for _, port := range src.Ports {
		if port.Name == src.ActivePortName && port.Available != portUnknown {
			d.Unplugged = new(port.Available == portAbsent)
		}
	}
	return d
}

func isPulseBluetooth(name string, p proto.PropList) bool {
	return property(p, "device.bus") == "bluetooth" || bluetoothCodec(p) != "" || strings.HasPrefix(name, "bluez_")
}

// pulseProduct returns the name from the USB or PCI descriptor. The description of a
// source can be changed in pavucontrol, these properties cannot. The name of a Bluetooth
// device is chosen by its owner.
func pulseProduct(name string, p proto.PropList) string {
	if isPulseBluetooth(name, p) {
		return ""
	}
	return cmp.Or(property(p, "device.product.name"), property(p, "alsa.card_name"))
}

func bluetoothCodec(p proto.PropList) string {
	if codec := property(p, "bluetooth.codec"); codec != "" {
		return codec
	}
	return property(p, "api.bluez5.codec") // the name that PipeWire uses
}

func property(p proto.PropList, key string) string {
	if v, ok := p[key]; ok {
		return v.String()
	}
	return ""
}

// pulseVolumeDB returns the volume of the loudest channel. PulseAudio's scale is
// cubic: amplitude = (v/65536)³, so 10 % is -60 dB. It returns nil if no channel has a volume.
func pulseVolumeDB(channels proto.ChannelVolumes) *float64 {
	var loudest uint32
	known := false
	for _, v := range channels {
		if v != uint32(proto.VolumeInvalid) {
			loudest, known = max(loudest, v), true
		}
	}
	if !known {
		return nil
	}
	return volumeDB(60 * math.Log10(float64(loudest)/float64(proto.VolumeNorm)))
}

// recordingStream is a stream that records from a source.
type recordingStream struct {
	sourceName string
	pid        string
	program    string
}

// recordingStreams lists the streams of processes. A remap source has a stream too, but
// no process.
func recordingStreams(outputs proto.GetSourceOutputInfoListReply, sources proto.GetSourceInfoListReply) []recordingStream {
	names := make(map[uint32]string, len(sources))
	for _, src := range sources {
		names[src.SourceIndex] = src.SourceName
	}
	var streams []recordingStream
	for _, out := range outputs {
		pid := property(out.Properties, "application.process.id")
		if pid == "" || names[out.SourceIndex] == "" {
			continue
		}
		program := report.ProgramName(property(out.Properties, "application.process.binary"))
		if program == "" {
			program = report.ProgramName(property(out.Properties, "application.name"))
		}
		streams = append(streams, recordingStream{names[out.SourceIndex], pid, program})
	}
	return streams
}

// deviceOf returns the name of the source from which process pid records.
func deviceOf(streams []recordingStream, pid int) string {
	for _, s := range streams {
		if s.pid == strconv.Itoa(pid) {
			return s.sourceName
		}
	}
	return ""
}

// usesOf returns the streams of all programs. It includes our own captures, so the
// caller reads before it starts them.
func usesOf(streams []recordingStream) Uses {
	u := Uses{Known: true}
	for _, s := range streams {
		u.List = append(u.List, Use{DeviceID: s.sourceName, Program: s.program})
	}
	return u
}
