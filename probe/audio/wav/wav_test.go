package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// header contains the values of a file's header.
type header struct {
	code, channels uint16
	rate           uint32
	bits           uint16
	extensible     bool
	extra          []byte // chunks before the samples
}

// file returns a WAV file with the given samples; size -1 means their true length.
func (h header) file(sound []byte, size int64) []byte {
	var b bytes.Buffer
	le := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	b.WriteString("RIFF\xFF\xFF\xFF\xFFWAVE")
	b.Write(h.extra)
	b.WriteString("fmt ")
	align := h.channels * h.bits / 8
	code, length := h.code, uint32(16)
	if h.extensible {
		code, length = codeExtensible, 40
	}
	le(length)
	le(code)
	le(h.channels)
	le(h.rate)
	le(h.rate * uint32(align))
	le(align)
	le(h.bits)
	if h.extensible {
		le(uint16(22))
		le(h.bits)
		le(uint32(3))
		le(h.code)
		b.Write(subFormatTail[:])
	}
	b.WriteString("data")
	if size < 0 {
		size = int64(len(sound))
	}
	le(uint32(size))
	b.Write(sound)
	return b.Bytes()
}

var mono16 = header{code: codePCM, channels: 1, rate: 48000, bits: 16}

// readAll reads with a small buffer, so that frames cross buffer boundaries.
func readAll(b []byte) ([]float32, Format, error) {
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, Format{}, err
	}
	var all []float32
	block := make([]float32, 3*r.Format().Channels+1)
	for {
		n, err := r.Read(block)
		all = append(all, block[:n]...)
		if err == io.EOF {
			return all, r.Format(), nil
		}
		if err != nil {
			return all, r.Format(), err
		}
	}
}

func TestSampleFormats(t *testing.T) {
	float := func(xs ...float32) (b []byte) {
		for _, x := range xs {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
		return b
	}
	for name, c := range map[string]struct {
		header header
		sound  []byte
		want   []float32
	}{
		"16":            {header{code: codePCM, channels: 1, rate: 8000, bits: 16}, []byte{0, 0x80, 0, 0, 0, 0x40, 0xFF, 0x7F}, []float32{-1, 0, 0.5, 32767.0 / 32768}},
		"24":            {header{code: codePCM, channels: 1, rate: 8000, bits: 24}, []byte{0, 0, 0x80, 0, 0, 0x40, 1, 0, 0}, []float32{-1, 0.5, 1.0 / (1 << 23)}},
		"8":             {header{code: codePCM, channels: 1, rate: 8000, bits: 8}, []byte{0, 128, 192, 255}, []float32{-1, 0, 0.5, 127.0 / 128}},
		"float 64":      {header{code: codeFloat, channels: 1, rate: 8000, bits: 64}, binary.LittleEndian.AppendUint64(nil, math.Float64bits(-0.75)), []float32{-0.75}},
		"A-law":         {header{code: codeALaw, channels: 1, rate: 8000, bits: 8}, []byte{0xD5, 0x55, 0xAA, 0x2A}, []float32{1.0 / 4096, -1.0 / 4096, 4032.0 / 4096, -4032.0 / 4096}},
		"mu-law ext":    {header{code: codeMuLaw, channels: 1, rate: 8000, bits: 8, extensible: true}, []byte{0xFF, 0x7F, 0x80, 0x00}, []float32{0, 0, 8031.0 / 8192, -8031.0 / 8192}},
		"24 extensible": {header{code: codePCM, channels: 1, rate: 8000, bits: 24, extensible: true}, []byte{0, 0, 0x80}, []float32{-1}},
		"32":            {header{code: codePCM, channels: 2, rate: 96000, bits: 32}, []byte{0, 0, 0, 0x80, 0, 0, 0, 0x40}, []float32{-1, 0.5}},
		"float":         {header{code: codeFloat, channels: 1, rate: 44100, bits: 32}, float(1.5, -0.25), []float32{1.5, -0.25}},
		"float ext":     {header{code: codeFloat, channels: 2, rate: 44100, bits: 32, extensible: true}, float(1, 2, 3, 4), []float32{1, 2, 3, 4}},
		"other chunks": {header{code: codePCM, channels: 1, rate: 8000, bits: 16, extra: []byte("LIST\x03\x00\x00\x00abc\x00bext\x00\x00\x00\x00")},
			[]byte{0, 0x40}, []float32{0.5}},
	} {
		got, f, err := readAll(c.header.file(c.sound, -1))
		if err != nil || len(got) != len(c.want) {
			t.Errorf("%s: got %v, error %v; want %v", name, got, err, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: got %v, want %v", name, got, c.want)
			}
		}
		if f.RateHz != int(c.header.rate) || f.Channels != int(c.header.channels) {
			t.Errorf("%s: got %+v, want %d Hz, %d channels", name, f, c.header.rate, c.header.channels)
		}
	}
}

func TestBadFiles(t *testing.T) {
	sound := make([]byte, 8)
	change := func(f func(h *header)) []byte {
		h := mono16
		f(&h)
		return h.file(sound, -1)
	}
	whole := mono16.file(sound, -1)
	strange := header{code: codePCM, channels: 1, rate: 48000, bits: 16, extensible: true}.file(sound, -1)
	strange[12+8+30]++ // within the GUID
	align := bytes.Clone(whole)
	align[32]++
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"nothing":          {nil, ErrNotWAV},
		"text":             {[]byte("Guten Tag, dies ist kein Ton."), ErrNotWAV},
		"an AVI":           {append([]byte("RIFF\x00\x00\x00\x00AVI "), whole...), ErrNotWAV},
		"only the head":    {whole[:12], ErrTruncated},
		"within fmt":       {whole[:30], ErrTruncated},
		"no data chunk":    {whole[:36], ErrTruncated},
		"sound missing":    {whole[:len(whole)-4], ErrTruncated},
		"half a sample":    {whole[:len(whole)-1], ErrTruncated},
		"a huge chunk":     {append([]byte("RIFF\x00\x00\x00\x00WAVEjunk\xFF\xFF\xFF\x7F"), whole...), ErrTruncated},
		"sound before fmt": {[]byte("RIFF\x00\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd"), ErrFormat},
		"huge fmt":         {[]byte("RIFF\x00\x00\x00\x00WAVEfmt \xFF\xFF\xFF\xFF"), ErrFormat},
		"0 channels":       {change(func(h *header) { h.channels = 0 }), ErrFormat},
		"1000 channels":    {change(func(h *header) { h.channels = 1000 }), ErrFormat},
		"0 Hz":             {change(func(h *header) { h.rate = 0 }), ErrFormat},
		"4 GHz":            {change(func(h *header) { h.rate = 4e9 }), ErrFormat},
		"4 bits":           {change(func(h *header) { h.bits = 4 }), ErrFormat},
		"12 bits":          {change(func(h *header) { h.bits = 12 }), ErrFormat},
		"A-law of 16 bits": {change(func(h *header) { h.code = 6 }), ErrFormat},
		"float of 16 bits": {change(func(h *header) { h.code = codeFloat }), ErrFormat},
		"strange GUID":     {strange, ErrFormat},
		"wrong frame size": {align, ErrFormat},
	} {
		if _, _, err := readAll(c.file); !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want %v", name, err, c.want)
		}
	}
}

// TestTruncatedYieldsTheRest: a truncated file yields the samples that are present.
func TestTruncatedYieldsTheRest(t *testing.T) {
	file := mono16.file([]byte{0, 0x40, 0, 0x40, 0, 0x40}, -1)
	got, _, err := readAll(file[:len(file)-3])
	if !errors.Is(err, ErrTruncated) || len(got) != 1 || got[0] != 0.5 {
		t.Errorf("got %v, error %v; want [0.5] and %v", got, err, ErrTruncated)
	}
}

// TestUnknownLength: programs that write to a pipe do not know the length in advance.
func TestUnknownLength(t *testing.T) {
	for _, size := range []int64{0, math.MaxUint32, 0x7FFFFFFF, 0x7FFFF000} {
		if got, _, err := readAll(mono16.file([]byte{0, 0x40, 0, 0x40}, size)); err != nil || len(got) != 2 {
			t.Errorf("size %#x: got %v, error %v; want 2 entries", size, got, err)
		}
	}
}

func TestTrailingChunksAreNotSound(t *testing.T) {
	file := append(mono16.file([]byte{0, 0x40}, -1), []byte("LIST\x04\x00\x00\x00abcd")...)
	if got, _, err := readAll(file); err != nil || len(got) != 1 {
		t.Errorf("got %v, error %v; want 1 sample", got, err)
	}
}

func TestFilesOfSox(t *testing.T) {
	need.Program(t, "sox")
	for _, format := range [][]string{{"-b", "16"}, {"-b", "24"}, {"-b", "32"}, {"-b", "32", "-e", "floating-point"}} {
		path := filepath.Join(t.TempDir(), "sine.wav")
		args := append([]string{"-D", "-n", "-r", "44100", "-c", "2"}, format...)
		if out, err := exec.Command("sox", append(args, path, "synth", "1", "sine", "1000", "gain", "-6.0206")...).CombinedOutput(); err != nil {
			t.Fatalf("sox: %v: %s", err, out)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, f, err := readAll(b)
		peak := slices.Max(append(got, 0))
		if err != nil || f.RateHz != 44100 || f.Channels != 2 || len(got) != 88200 || math.Abs(float64(peak)-0.5) > 0.001 {
			t.Errorf("%v: got %+v, %d samples, peak %v, error %v; want 44100 Hz, 2 channels, 88200 samples, peak 0.5", format, f, len(got), peak, err)
		}
	}
}

// silence is a file of any length whose content is generated while it is read.
type silence struct{ left int64 }

func (s *silence) Read(p []byte) (int, error) {
	n := min(int64(len(p)), s.left)
	if n == 0 {
		return 0, io.EOF
	}
	clear(p[:n])
	s.left -= n
	return int(n), nil
}

func TestLongFileIsNotKeptInMemory(t *testing.T) {
	const size = 3600 * 8000 * 2
	head := header{code: codePCM, channels: 1, rate: 8000, bits: 16}
	r, err := NewReader(io.MultiReader(bytes.NewReader(head.file(nil, size)), &silence{left: size}))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	block, samples := make([]float32, 4096), 0
	for {
		n, err := r.Read(block)
		samples += n
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if samples != size/2 {
		t.Errorf("%d samples, want %d", samples, size/2)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes for an hour, want at most %d", used, 1<<20)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(mono16.file([]byte{0, 0x40, 1}, -1))
	f.Add(header{code: codeFloat, channels: 2, rate: 1, bits: 32, extensible: true}.file(make([]byte, 16), math.MaxUint32))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVE"))
	f.Add(header{code: codeMuLaw, channels: 3, rate: 8000, bits: 8}.file(make([]byte, 7), 0))
	f.Add(rf64(4))
	f.Add(wave64([]byte{0, 0x40}))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, format, err := readAll(b)
		for _, x := range got {
			if format.Coding != Float && !(x >= -1 && x <= 1) {
				t.Errorf("sample %v is out of range", x)
			}
		}
		if err != nil && !errors.Is(err, ErrNotWAV) && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTruncated) {
			t.Errorf("error of an unexpected type: %v", err)
		}
		if len(got) > 0 && len(got)%format.Channels != 0 || len(got)*format.Bits/8 > len(b) {
			t.Errorf("got %d samples of %d channels from %d bytes, want whole frames and no more than the file has", len(got), format.Channels, len(b))
		}
	})
}
