package netbench

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/stats"
)

func writePCAP(t *testing.T, b []byte) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "stream.pcap")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// tshark decodes all UDP of a capture as RTP; checksums are not verified, because
// the capture was rewritten.
func tshark(t *testing.T, file string, args ...string) string {
	t.Helper()
	args = append([]string{"-r", file, "-d", "udp.port==3480,rtp", "-o", "udp.check_checksum:FALSE"}, args...)
	out, err := exec.CommandContext(t.Context(), "tshark", args...).Output()
	if err != nil {
		t.Fatalf("tshark: %v", withStderr(err))
	}
	return string(out)
}

// rtpStream is a row of the output of tshark -z rtp,streams.
type rtpStream struct {
	packets, lost             int
	meanJitterMS, maxJitterMS float64
	rounding                  float64 // half of the last digit shown, ms
}

// tsharkStreams parses the table, by SSRC.
func tsharkStreams(t *testing.T, file string) map[uint32]rtpStream {
	t.Helper()
	all, err := parseStreams(tshark(t, file, "-q", "-z", "rtp,streams"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// parseStreams parses rows by the columns before and after the payload's name,
// which may have several words.
//
//	Start time  End time  Src IP addr  Port  Dest IP addr  Port  SSRC  Payload  Pkts  Lost
//	Min Delta(ms)  Mean Delta(ms)  Max Delta(ms)  Min Jitter(ms)  Mean Jitter(ms)  Max Jitter(ms)  Problems?
func parseStreams(table string) (map[uint32]rtpStream, error) {
	all := map[uint32]rtpStream{}
	for line := range strings.Lines(table) {
		before, after, ok := strings.Cut(line, "%)")
		if !ok || strings.HasPrefix(strings.TrimSpace(line), "=") {
			continue
		}
		f, delays := strings.Fields(before), strings.Fields(after)
		if len(f) < 11 || len(delays) < 6 {
			return nil, errors.New("unexpected row of tshark: " + line)
		}
		var s rtpStream
		n := len(f) // … packets lost (share
		ssrc, err1 := strconv.ParseUint(f[6], 0, 32)
		packets, err2 := strconv.Atoi(f[n-3])
		lost, err3 := strconv.Atoi(f[n-2])
		mean, err4 := strconv.ParseFloat(delays[4], 64)
		highest, err5 := strconv.ParseFloat(delays[5], 64)
		if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
			return nil, err
		}
		s = rtpStream{packets: packets, lost: lost, meanJitterMS: mean, maxJitterMS: highest, rounding: halfLastDigit(delays[5])}
		all[uint32(ssrc)] = s
	}
	return all, nil
}

// halfLastDigit returns half of the last digit of a decimal, and a margin for another
// order of summation.
func halfLastDigit(decimal string) float64 {
	_, digits, _ := strings.Cut(decimal, ".")
	unit := 1.0
	for range digits {
		unit /= 10
	}
	return unit*0.5 + 1e-6
}

// tsharkArrivals returns the packets as read by tshark, in order of arrival.
func tsharkArrivals(t *testing.T, file string) (arrivals []stats.RTPArrival, seq []int) {
	t.Helper()
	for line := range strings.Lines(tshark(t, file, "-T", "fields", "-e", "frame.time_epoch", "-e", "rtp.timestamp", "-e", "rtp.seq")) {
		f := strings.Fields(line)
		if len(f) != 3 {
			t.Fatalf("tshark: %q is not an RTP packet", line)
		}
		// Seconds and nanoseconds are parsed separately, because a float64 cannot
		// represent nanoseconds since 1970.
		whole, fraction, _ := strings.Cut(f[0], ".")
		s, err1 := strconv.ParseInt(whole, 10, 64)
		ns, err2 := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
		stamp, err3 := strconv.ParseUint(f[1], 10, 32)
		number, err4 := strconv.Atoi(f[2])
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		arrivals = append(arrivals, stats.RTPArrival{ArrivedNS: s*1e9 + ns, Stamp: uint32(stamp)})
		seq = append(seq, number)
	}
	return arrivals, seq
}

func TestTableOfStreams(t *testing.T) {
	const table = `========================= RTP Streams ========================
   Start time      End time     Src IP addr  Port    Dest IP addr  Port       SSRC          Payload  Pkts         Lost   Min Delta(ms)  Mean Delta(ms)   Max Delta(ms)  Min Jitter(ms) Mean Jitter(ms)  Max Jitter(ms) Problems?
     1.000000      6.980000   198.51.100.10  3480  192.168.178.20 40000 0x12AB34CD        g711U   271    28 (9.4%)           6.100          22.100          62.000           0.000           3.456           5.678 X
==============================================================
`
	all, err := parseStreams(table)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := all[0x12ab34cd]
	if !ok || got.packets != 271 || got.lost != 28 || got.meanJitterMS != 3.456 || got.maxJitterMS != 5.678 {
		t.Errorf("got %+v", all)
	}
	near(t, "rounding", got.rounding, 0.0005, 1e-5)
}
