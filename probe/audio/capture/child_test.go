package capture

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// blockedReader is an open standard input without further data.
type blockedReader struct {
	first io.Reader
	never chan struct{}
}

func (r *blockedReader) Read(p []byte) (int, error) {
	if n, err := r.first.Read(p); err == nil {
		return n, nil
	}
	<-r.never
	return 0, io.EOF
}

// stuckWriter simulates a parent that does not read.
type stuckWriter struct{ never chan struct{} }

func (w stuckWriter) Write([]byte) (int, error) { <-w.never; return 0, io.ErrClosedPipe }

func TestChildsOwnTimeLimit(t *testing.T) {
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	in := &blockedReader{bytes.NewReader([]byte(`{"op":"devices","limit_ms":50}` + "\n")), never}
	if got := ChildMain(in, stuckWriter{never}); got != exitLimit {
		t.Errorf("exit status %d, want %d", got, exitLimit)
	}
}

func TestChildEndsWithItsParent(t *testing.T) {
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	in := bytes.NewReader([]byte(`{"op":"devices","limit_ms":60000}` + "\n"))
	if got := ChildMain(in, stuckWriter{never}); got != exitOK { // exitLimit after its limit
		t.Errorf("exit status %d, want %d", got, exitOK)
	}
}

func TestPick(t *testing.T) {
	devices := []Device{
		{Name: "Monitor of Speakers", ID: "spk.monitor", IsMonitor: true},
		{Name: "Webcam", ID: "cam"},
		{Name: "Headset", ID: "hs1", IsDefault: true},
		{Name: "USB Headset", ID: "hs2"},
		{Name: "Twin", ID: "t1"}, {Name: "Twin", ID: "t2"},
	}
	for name, want := range map[string]string{
		"": "hs1", "cam": "cam", "webCAM": "cam", "Headset": "hs1", "usb head": "hs2", "t2": "t2",
	} {
		if d, err := pick(devices, name); err != nil || d.ID != want {
			t.Errorf("%q: got %v, error %v; want %q", name, d, err, want)
		}
	}
	for _, name := range []string{"Jabra", "Twin", "head"} {
		var e *startError
		if _, err := pick(devices, name); !errors.As(err, &e) || e.state != report.CaptureDeviceAbsent {
			t.Errorf("%q: got error %v, want state %q", name, err, report.CaptureDeviceAbsent)
		}
	}
	if d, _ := pick(devices[:2], ""); d.ID != "cam" {
		t.Errorf("without a default: %v, want cam", d)
	}
	var e *startError
	if _, err := pick(nil, ""); !errors.As(err, &e) || e.state != report.CaptureNoDevice {
		t.Errorf("no devices: got error %v, want state %q", err, report.CaptureNoDevice)
	}
}

func TestWithState(t *testing.T) {
	got := withState([]Device{{ID: "a", IsDefault: true}, {ID: "b", NativeRateHz: 48000}}, osstate.Snapshot{
		DefaultID: "b", DefaultCommsID: "a",
		Devices: map[string]osstate.Device{"b": {NativeRateHz: new(8000), IsBluetooth: new(true)}, "a": {}},
	})
	if got[0].IsDefault || !got[0].IsDefaultComms || !got[1].IsDefault || got[1].NativeRateHz != 8000 || !got[1].IsBluetooth {
		t.Errorf("got %+v, want the first as communications default, the second as default with 8000 Hz and Bluetooth", got)
	}
}

// TestSlowParentLosesFrames: if the parent stops reading, sound is lost and the loss is
// reported, but the callback never blocks.
func TestSlowParentLosesFrames(t *testing.T) {
	c := &child{start: time.Now(), out: make(chan []byte, 2)}
	block := make([]byte, 4*960)
	for i := range 10 { // the queue has space for two pairs of periods
		c.sendPCM(int64(i), block, 1)
	}
	<-c.out
	c.sendPCM(10, block, 1)
	c.sendPCM(11, block, 1)
	<-c.out
	d := decoder{r: bytes.NewReader(<-c.out), greeted: true, channels: 1}
	for _, want := range []PCM{{AtNS: 10, LostFrames: 6 * 960}, {AtNS: 11}} {
		m, err := d.next()
		if pcm, ok := m.(PCM); err != nil || !ok || pcm.LostFrames != want.LostFrames || pcm.AtNS != want.AtNS {
			t.Errorf("got %v, error %v; want %v", m, err, want)
		}
	}
}

func FuzzDecoder(f *testing.F) {
	var whole []byte
	for _, m := range []Message{hello, listed, State{}, started, Playing{AtNS: 1}, Played{}, Stopped{}, Failure{State: report.CaptureInUse}} {
		frame, err := jsonFrame(m.message(), m)
		if err != nil {
			f.Fatal(err)
		}
		whole = append(whole, frame...)
		f.Add(frame)
	}
	whole = append(whole, pcmFrame(1, 2, make([]byte, 8))...)
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Fuzz(func(t *testing.T, b []byte) {
		d := decoder{r: bytes.NewReader(b)}
		for {
			m, err := d.next()
			if err != nil {
				if err != io.EOF && !errors.Is(err, ErrGarbage) {
					t.Errorf("error of an unexpected type: %v", err)
				}
				return
			}
			if pcm, ok := m.(PCM); ok && (d.channels == 0 || len(pcm.Samples)%d.channels != 0 || len(pcm.Samples) > math.MaxUint16*2) {
				t.Errorf("%d samples on %d channels, want whole frames", len(pcm.Samples), d.channels)
			}
		}
	})
}
