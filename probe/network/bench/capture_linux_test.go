package bench

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTsharkSeesTheSameStream holds capture and truth against a program that is
// not ours: what tshark counts of the echo at the home is what the link let out.
func TestTsharkSeesTheSameStream(t *testing.T) {
	selected(t)
	if _, err := exec.LookPath("tshark"); err != nil {
		need(t, "tshark", err)
	}
	if err := Possible(); err != nil {
		need(t, "network namespaces and TUN devices", err)
	}
	w, err := NewWorld(t.Context(), t.TempDir(), programs(t), quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := Scenario{Name: "tshark", NAT: homeRouter(), Access: Segment{
		Up:   []Phase{{Line: Line{DelayMS: 8}}},
		Down: []Phase{{Line: Line{DelayMS: 8, Jitter: "uniform", JitterMS: 12, LossPct: 10}}},
	}}
	var pcap bytes.Buffer
	end, err := w.Link.Capture(&pcap)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Check(t.Context(), s, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	want := c.Truth.RTP(Down).Figures()
	seen := tsharkSequence(t, pcap.Bytes(), c.Truth.RTP(Down)[0].SSRC)
	slices.Sort(seen)
	seen = slices.Compact(seen)
	if len(seen) != want.Received || want.Received == want.Sent || want.Received < 100 {
		t.Errorf("tshark sees %d packets of the echo, the link let %d of %d out", len(seen), want.Received, want.Sent)
	}
}

// tsharkSequence is the RTP sequence numbers of a stream that came from port 3480.
func tsharkSequence(t *testing.T, pcap []byte, ssrc uint32) (seq []int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "home.pcap")
	if err := os.WriteFile(file, pcap, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "tshark", "-r", file, "-d", "udp.port==3480,rtp", "-T", "json", "-e", "rtp.seq",
		"-Y", "udp.srcport==3480 && rtp.ssrc=="+strconv.FormatUint(uint64(ssrc), 10)).Output()
	if err != nil {
		t.Fatalf("tshark: %v", withStderr(err))
	}
	var packets []struct {
		Source struct {
			Layers map[string][]string
		} `json:"_source"`
	}
	if err := json.Unmarshal(out, &packets); err != nil {
		t.Fatalf("tshark: %v in %.200s", err, out)
	}
	for _, p := range packets {
		n, err := strconv.Atoi(strings.Join(p.Source.Layers["rtp.seq"], ""))
		if err != nil {
			t.Fatalf("tshark: %v", err)
		}
		seq = append(seq, n)
	}
	return seq
}
