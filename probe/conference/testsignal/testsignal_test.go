package testsignal

import (
	"bytes"
	"encoding/binary"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/pion/opus"
	"github.com/pion/opus/pkg/oggreader"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

var update = flag.Bool("update", false, "make the recording anew")

// synthesize returns the sound at 48 kHz as 16-bit samples.
func synthesize() []byte {
	const hz = 48000
	sound := make([]float64, Packets*hz/50)
	for k := range sweeps {
		for i, v := range sweep(rise(k) == 1, hz) {
			sound[k*hz/5+i] = v / 4 // -12 dBFS
		}
	}
	var b bytes.Buffer
	for _, v := range sound {
		_ = binary.Write(&b, binary.LittleEndian, int16(v*32767))
	}
	return b.Bytes()
}

// encode runs 48 kHz samples through libopus.
func encode(t testing.TB, pcm []byte, args ...string) [][]byte {
	t.Helper()
	need.Programs(t, "ffmpeg")
	cmd := exec.Command("ffmpeg", append(append([]string{"-hide_banner", "-loglevel", "error", "-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "-", "-c:a", "libopus"}, args...), "-f", "ogg", "-")...)
	cmd.Stdin = bytes.NewReader(pcm)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := oggreader.NewWith(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	var packets [][]byte
	var packet []byte
	for {
		segments, _, err := r.ParseNextPage()
		if err != nil {
			break
		}
		for _, s := range segments {
			packet = append(packet, s...)
			if len(s) == 255 {
				continue // the packet continues in the next segment (RFC 3533 §6)
			}
			if !bytes.HasPrefix(packet, []byte("OpusTags")) {
				packets = append(packets, packet)
			}
			packet = nil
		}
	}
	return packets
}

// heard returns the recording at 48 kHz, as decoded by a server.
func heard(t testing.TB) []byte {
	t.Helper()
	d, err := opus.NewDecoderWithOutput(48000, 1)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := make([]int16, 960)
	for _, p := range own() {
		n, err := d.DecodeToInt16(p, out)
		if err != nil {
			t.Fatal(err)
		}
		_ = binary.Write(&b, binary.LittleEndian, out[:n])
	}
	return b.Bytes()
}

func arrivalsOf(packets [][]byte, delay time.Duration) []Arrival {
	var list []Arrival
	for i, p := range packets {
		list = append(list, Arrival{Seq: int64(i), Stamp: int64(i) * StampStep, At: time.Duration(i)*PacketTime + delay, Payload: p})
	}
	return list
}

func sent() []time.Duration {
	at := make([]time.Duration, Packets)
	for i := range at {
		at[i] = time.Duration(i) * PacketTime
	}
	return at
}

func own() (packets [][]byte) {
	for i := range Packets {
		packets = append(packets, Packet(i))
	}
	return packets
}

// TestRecording: the recording has the properties in its comment.
func TestRecording(t *testing.T) {
	if *update {
		packets := encode(t, synthesize(), "-application", "voip", "-vbr", "off", "-b:a", "24k", "-frame_duration", "20")
		var all []byte
		for _, p := range packets[:Packets] {
			if len(p) != PacketBytes {
				t.Fatalf("got a packet of %d bytes, want %d", len(p), PacketBytes)
			}
			all = append(all, p...)
		}
		if err := os.WriteFile("recording.opus", all, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Skip("the recording was regenerated")
	}
	if len(recording) != Packets*PacketBytes {
		t.Fatalf("the recording has %d bytes, want %d", len(recording), Packets*PacketBytes)
	}
	found := Find(arrivalsOf(own(), 30*time.Millisecond), sent())
	if len(found) != sweeps {
		t.Fatalf("found %d sweeps, want %d", len(found), sweeps)
	}
	for _, s := range found {
		if trip := s.Arrived - s.Sent; (trip-30*time.Millisecond).Abs() > time.Millisecond || s.Heard < 0.85 {
			t.Errorf("sweep %d: round trip %v, correlation %.2f; want 30 ms, at least 0.85", s.Index, trip, s.Heard)
		}
	}
}

// TestThroughAServer: after decoding and encoding with the bit rates and modes of a
// server, the sweeps are found at the right time, which includes the look-ahead of that
// encoder, 2.5 to 6.5 ms.
func TestThroughAServer(t *testing.T) {
	for name, args := range map[string][]string{
		"BigBlueButton, 30 kbit/s": {"-application", "voip", "-b:a", "30k"},
		"16 kbit/s":                {"-application", "voip", "-b:a", "16k"},
		"music mode":               {"-application", "audio", "-b:a", "64k"},
		"lowest delay":             {"-application", "lowdelay", "-b:a", "48k"},
		"stereo":                   {"-application", "voip", "-b:a", "40k", "-ac", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			found := Find(arrivalsOf(encode(t, heard(t), args...), 50*time.Millisecond), sent())
			if len(found) < sweeps-1 {
				t.Fatalf("found %d sweeps, want at least %d", len(found), sweeps-1)
			}
			for _, s := range found {
				if trip := s.Arrived - s.Sent; trip < 50*time.Millisecond || trip > 58*time.Millisecond {
					t.Errorf("sweep %d: round trip %v with correlation %.2f, want 50 to 58 ms", s.Index, trip, s.Heard)
				}
			}
		})
	}
}

// TestOtherSound: no sweep is found in other sounds.
func TestOtherSound(t *testing.T) {
	noise, hum, glide := make([]byte, 2*48000*3), make([]byte, 2*48000*3), make([]byte, 2*48000*3)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range len(noise) / 2 {
		binary.LittleEndian.PutUint16(noise[2*i:], uint16(int16(r.NormFloat64()*3000)))
		binary.LittleEndian.PutUint16(hum[2*i:], uint16(int16(8000*math.Sin(float64(i)*2*math.Pi*440/48000))))
		voiced := math.Sin(float64(i)*2*math.Pi*140/48000) + math.Sin(float64(i)*2*math.Pi*(700+500*math.Sin(float64(i)/9000))/48000)
		binary.LittleEndian.PutUint16(glide[2*i:], uint16(int16(4000*voiced)))
	}
	need.Programs(t, "espeak-ng")
	spoken, err := exec.Command("sh", "-c", "espeak-ng -v de --stdout 'Guten Tag, die Sitzung beginnt in fünf Minuten.' | ffmpeg -loglevel error -i - -f s16le -ar 48000 -ac 1 -").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, pcm := range map[string][]byte{"noise": noise, "hum": hum, "gliding tones": glide, "silence": make([]byte, 2*48000*3), "speech": spoken} {
		packets := arrivalsOf(encode(t, pcm, "-application", "voip", "-b:a", "30k"), 0)
		if found := Find(packets, sent()); len(found) > 0 {
			t.Errorf("%s: found %d sweeps, want none", name, len(found))
		}
		sound, _ := decode(packets)
		for _, rises := range []bool{false, true} {
			if highest := slices.Max(correlate(sound, sweep(rises, searchHz))); highest > 0.25 {
				t.Errorf("%s: correlation %.2f, want at most 0.25", name, highest)
			}
		}
	}
	if found := Find(nil, sent()); found != nil {
		t.Errorf("found %d sweeps without any packet, want none", len(found))
	}
}

// TestDamage: sweeps are located correctly if packets are late, lost or only a part
// arrives.
func TestDamage(t *testing.T) {
	all := arrivalsOf(own(), 80*time.Millisecond)
	r := rand.New(rand.NewPCG(3, 4))
	for name, packets := range map[string][]Arrival{
		"the first 0.6 s are missing": all[30:],
		"only the first second":       all[:50],
		"10 % lost": func() (kept []Arrival) {
			for _, p := range all {
				if r.Float64() >= 0.1 {
					kept = append(kept, p)
				}
			}
			return kept
		}(),
		"30 % lost": func() (kept []Arrival) {
			for _, p := range all {
				if r.Float64() >= 0.3 {
					kept = append(kept, p)
				}
			}
			return kept
		}(),
		"one packet in ten removed, so that the sound is shorter": func() (kept []Arrival) {
			for i, p := range all {
				if i%10 != 8 {
					p.Stamp = int64(len(kept)) * StampStep
					kept = append(kept, p)
				}
			}
			return kept
		}(),
		"garbage between": func() (mixed []Arrival) {
			for i, p := range all {
				if i%25 == 24 {
					p.Payload = []byte{0xff, 0xff, 0xff}
				}
				mixed = append(mixed, p)
			}
			return mixed
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			found := Find(packets, sent())
			if len(found) < len(packets)/20 {
				t.Errorf("found %d sweeps in %d packets, want at least %d", len(found), len(packets), len(packets)/20)
			}
			for _, s := range found {
				if trip := s.Arrived - s.Sent; (trip - 80*time.Millisecond).Abs() > 2*time.Millisecond {
					t.Errorf("sweep %d: round trip %v, want 80 ms", s.Index, trip)
				}
			}
		})
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte{}, int64(0), int64(960))
	f.Add(Packet(3), int64(-5), int64(1<<40))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, int64(1)<<62, int64(-1)<<62)
	f.Fuzz(func(t *testing.T, payload []byte, stamp, step int64) {
		packets := arrivalsOf(own()[:20], 0)
		for i := range 5 {
			packets = append(packets, Arrival{Seq: 20 + int64(i), Stamp: stamp + int64(i)*step, Payload: payload})
		}
		Find(packets, sent())
	})
}

func BenchmarkFind(b *testing.B) {
	packets, at := arrivalsOf(own(), 0), sent()
	for b.Loop() {
		Find(packets, at)
	}
}
