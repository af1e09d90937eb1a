package bbbrig

import (
	"bytes"
	"encoding/binary"
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/pion/opus"
	"github.com/pion/opus/pkg/oggreader"

	"github.com/tonprobe/tonprobe/probe/conference/testsignal"
)

var update = flag.Bool("update", false, "make the transcoded sound anew")

// TestChecksum uses the example of BigBlueButton's documentation.
func TestChecksum(t *testing.T) {
	got := Checksum("sha1", "create", "name=Test+Meeting&meetingID=abc123&attendeePW=111222&moderatorPW=333444", "639259d4-9dd8-4b25-bf01-95f9567eaf4b")
	if want := "1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestTranscoded checks that the embedded sound is the recording after another
// encoder.
func TestTranscoded(t *testing.T) {
	if !*update {
		if len(transcoded) != testsignal.Packets*transcodedBytes {
			t.Errorf("got %d bytes, want %d", len(transcoded), testsignal.Packets*transcodedBytes)
		}
		return
	}
	d, err := opus.NewDecoderWithOutput(48000, 1)
	if err != nil {
		t.Fatal(err)
	}
	var pcm bytes.Buffer
	out := make([]int16, 960)
	for i := range testsignal.Packets {
		n, err := d.DecodeToInt16(testsignal.Packet(i), out)
		if err != nil {
			t.Fatal(err)
		}
		_ = binary.Write(&pcm, binary.LittleEndian, out[:n])
	}
	cmd := exec.Command("ffmpeg", "-loglevel", "error", "-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "-",
		"-c:a", "libopus", "-application", "voip", "-vbr", "off", "-b:a", "30k", "-f", "ogg", "-")
	cmd.Stdin = &pcm
	ogg, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := oggreader.NewWith(bytes.NewReader(ogg))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for {
		segments, _, err := r.ParseNextPage()
		if err != nil {
			break
		}
		for _, s := range segments {
			if len(s) == transcodedBytes && len(all) < testsignal.Packets*transcodedBytes {
				all = append(all, s...)
			}
		}
	}
	if err := os.WriteFile("testdata/transcoded.opus", all, 0o600); err != nil {
		t.Fatal(err)
	}
}
