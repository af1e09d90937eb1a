package wav

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// rf64 returns a file with the length in its ds64 chunk, and other chunks after the
// samples.
func rf64(soundBytes uint64) []byte {
	le := binary.LittleEndian
	ds64 := append([]byte("ds64"), 28, 0, 0, 0)
	ds64 = le.AppendUint64(le.AppendUint64(le.AppendUint64(ds64, 0), soundBytes), soundBytes/2)
	ds64 = le.AppendUint32(ds64, 0)
	h := mono16
	h.extra = ds64
	file := append(h.file([]byte{0, 0x40, 0, 0xC0}, math.MaxUint32), "LIST\x04\x00\x00\x00abcd"...)
	copy(file, "RF64")
	return file
}

// wave64 returns a 16-bit file in Sony's format, with a chunk of odd length before
// the format.
func wave64(sound []byte) []byte {
	le := binary.LittleEndian
	chunk := func(b []byte, name string, body []byte) []byte {
		b = append(append(b, name...), wave64Rest[:]...)
		b = append(le.AppendUint64(b, uint64(wave64Head+len(body))), body...)
		return append(b, make([]byte, -len(body)&7)...)
	}
	format := mono16.file(nil, 0)[20:36]
	file := append(append([]byte("riff"), wave64RIFF[:]...), make([]byte, 8)...)
	file = append(append(file, "wave"...), wave64Rest[:]...)
	file = chunk(file, "junk", []byte{1, 2, 3})
	file = chunk(file, "fmt ", format)
	file = chunk(file, "data", sound)
	return chunk(file, "levl", []byte{1, 2, 3})
}

func TestLongFiles(t *testing.T) {
	for name, file := range map[string][]byte{"RF64": rf64(4), "Wave64": wave64([]byte{0, 0x40, 0, 0xC0})} {
		got, _, err := readAll(file)
		if err != nil || len(got) != 2 || got[0] != 0.5 || got[1] != -0.5 {
			t.Errorf("%s: got %v, error %v; want [0.5 -0.5]", name, got, err)
		}
	}
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"RF64 cut off":             {rf64(400), ErrTruncated},
		"Wave64 cut off":           {wave64([]byte{0, 0x40, 0, 0xC0})[:16+8+16+24+8+24+16+24+3], ErrTruncated},
		"another GUID than Wave64": {append([]byte("riff"), make([]byte, 60)...), ErrNotWAV},
		"a ds64 that is too short": {append([]byte("RF64\xFF\xFF\xFF\xFFWAVEds64\x04\x00\x00\x00"), make([]byte, 40)...), ErrFormat},
	} {
		if _, _, err := readAll(c.file); !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want %v", name, err, c.want)
		}
	}
}

// TestG711 compares the decoder output values of ITU-T G.711, tables 1a and 2a: the value at the upper
// end of each segment, largest first, for positive code words.
func TestG711(t *testing.T) {
	for name, c := range map[string]struct {
		decode    func(byte) float32
		fullScale float32
		invert    byte // bits that are inverted in transmission
		ends      []float32
	}{
		"A-law":  {aLaw, 4096, 0x55, []float32{4032, 2016, 1008, 504, 252, 126, 63, 31}},
		"mu-law": {muLaw, 8192, 0x7F, []float32{8031, 3999, 1983, 975, 471, 219, 93, 30}},
	} {
		last := float32(math.Inf(1))
		for word := 127; word >= 0; word-- { // 127 is the largest value
			code := byte(0x80|word) ^ c.invert
			got := c.decode(code) * c.fullScale
			if word%16 == 15 {
				if want := c.ends[(127-word)/16]; got != want {
					t.Errorf("%s: segment %d ends at %v, want %v", name, word/16, got, want)
				}
			}
			if got >= last || got < 0 {
				t.Errorf("%s: %#x decodes to %v, not between its neighbours (previous %v), want a smaller one from 0 on", name, code, got, last)
			}
			if negative := c.decode(code^0x80) * c.fullScale; negative != -got {
				t.Errorf("%s: %#x decodes to %v, its negative to %v, want %v", name, code, got, negative, -got)
			}
			last = got
		}
	}
}

// TestFilesOfFFmpeg reads every coding and container that ffmpeg writes, to a file
// and to a pipe, and compares the sine in each.
func TestFilesOfFFmpeg(t *testing.T) {
	need.Program(t, "ffmpeg")
	for _, codec := range []string{"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw"} {
		for _, to := range []string{"sine.wav", "sine.w64", "-rf64 always sine.wav", "-f wav -"} {
			args := []string{"-v", "error", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=8000:duration=0.5", "-af", "volume=4", "-ac", "3", "-c:a", codec}
			target := strings.Fields(to)
			file := filepath.Join(t.TempDir(), target[len(target)-1])
			if to != "-f wav -" {
				target[len(target)-1] = file
			}
			cmd := exec.Command("ffmpeg", append(args, target...)...)
			cmd.Stderr = os.Stderr
			b, err := cmd.Output()
			if err == nil && len(b) == 0 {
				b, err = os.ReadFile(file)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, f, err := readAll(b)
			peak := slices.Max(append(got, 0))
			if err != nil || f.Channels != 3 || f.RateHz != 8000 || len(got) != 3*4000 || peak < 0.3 || peak > 0.55 {
				t.Errorf("%s, %s: got %+v, %d samples, peak %v, error %v; want Channels 3, RateHz 8000, %d, 0.3 to 0.55", codec, to, f, len(got), peak, err, 3*4000)
			}
		}
	}
}
