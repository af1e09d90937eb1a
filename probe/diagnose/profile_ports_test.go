package diagnose_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestPortsOfAProfile: a table of ports replaces the shipped one as a whole, and other profiles
// use the shipped one for Zoom only.
func TestPortsOfAProfile(t *testing.T) {
	own, err := diagnose.ParseProfile("zoom", []byte("source = \"x\"\n[ports]\nudp = [\"9000\", \"9100-9110\"]\nsource = \"IT\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	tcp, udp := own.PortsOf(report.ProbeZoom).Tried()
	if len(tcp) != 0 || !slices.Equal(udp, []uint16{9000, 9100, 9110}) {
		t.Errorf("got TCP %v, UDP %v; want the own UDP ports only", tcp, udp)
	}
	if c := own.Changed(); len(c.Changed) != 0 {
		t.Errorf("got changed limits %+v, want none", c.Changed)
	}
	shipped := profile(t, "zoom")
	tcp, udp = shipped.Ports.Tried()
	if !slices.Equal(tcp, []uint16{443, 8801, 8802}) || !slices.Equal(udp, []uint16{3478, 3479, 8801, 8810}) {
		t.Errorf("got TCP %v, UDP %v of the shipped profile", tcp, udp)
	}
	other := profile(t, "bbb")
	if p := other.PortsOf(report.ProbeZoom); !slices.Equal(p.UDP, shipped.Ports.UDP) {
		t.Errorf("got %+v for Zoom with the profile bbb, want the shipped ports", p)
	}
	if p := other.PortsOf(report.ProbeBBB); p.Source != "" || len(p.TCP)+len(p.UDP) > 0 {
		t.Errorf("got %+v for BigBlueButton, want none", p)
	}
}

// TestWrongPorts: each mistake is refused with its line.
func TestWrongPorts(t *testing.T) {
	const head = "source = \"x\"\n"
	for text, want := range map[string]string{
		"[ports]\ntcp = [\"443\"]":                                             "source is missing",
		"[ports]\ntcp = [\"0\"]\nsource = \"x\"":                               "\"0\" is neither",
		"[ports]\ntcp = [\"65536\"]\nsource = \"x\"":                           "neither a port",
		"[ports]\nudp = [\"8810-8801\"]\nsource = \"x\"":                       "neither a port",
		"[ports]\nudp = [\"8801-\"]\nsource = \"x\"":                           "neither a port",
		"[ports]\nudp = [\"https\"]\nsource = \"x\"":                           "neither a port",
		"[ports]\nudp = 3478\nsource = \"x\"":                                  "",
		"[ports]\nsctp = [\"3478\"]\nsource = \"x\"":                           "there is no key ports.sctp",
		"[ports]\ntcp = [" + strings.Repeat(`"443",`, 9) + "]\nsource = \"x\"": "at most 8",
	} {
		_, err := diagnose.ParseProfile("zoom", []byte(head+text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(fmt.Sprint(err), "line ") {
			t.Errorf("%q: got error %v, want one with its line and %q", text, err, want)
		}
	}
}
