package report

import (
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestRedactedTargetIsASCII(t *testing.T) {
	for target, want := range map[string]string{
		"https://Bücher.example:443/b/räum?pw=1": "https://xn--bcher-kva.example",
		"https://[fe80::1%25eth0]:8443/x":        "https://[fe80::1]:8443",
		"rtmps://a.example/live/geheim":          "rtmps://a.example",
		"wss://live.example/rtc?t=geheim":        "wss://live.example",
		"bücher":                                 "",
	} {
		r := full(t)
		r.Target = target
		if got := Redact(r, Policy{}).Target; got != want {
			t.Errorf("%s: got %q, want %q", target, got, want)
		}
	}
}

func TestRedactMakesAnyMeasurementValid(t *testing.T) {
	r := full(t)
	r.Target = "https://anna:geheim@bbb.example.org:8443/b/ann-a1b?token=x#top"
	r.Probes[1].Error = "open /home/anna/x: denied\nsecond line"
	in := part[AudioInput](t, r)
	in.Device, in.OSVolumeDB, in.SNRDB = "Anna\u202es AirPods"+strings.Repeat("x", 300), new(math.Inf(-1)), new(math.NaN())
	in.ChannelCorrelation, in.CapturedMS = new(1.0000000002), new(-5.0)
	nat := part[NAT](t, r)
	nat.PublicAddress = "203.0.113.77"
	part[MediaVoice](t, r).UpLossCI95 = &Interval{math.NaN(), 1}
	r.Causes[0].Evidence[1].Value = math.Inf(1)
	before := *in

	c := Redact(r, Policy{})
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if *in != before || nat.PublicAddress != "203.0.113.77" || r.Probes[1].Error == c.Probes[1].Error {
		t.Error("Redact modified its argument")
	}
	got := part[AudioInput](t, c)
	if *got.OSVolumeDB != -300 || got.SNRDB != nil || *got.ChannelCorrelation != 1 || got.CapturedMS != nil {
		t.Errorf("got volume %v, SNR nil %t, correlation %v, length nil %t; want -300, true, 1, true", *got.OSVolumeDB, got.SNRDB == nil, *got.ChannelCorrelation, got.CapturedMS == nil)
	}
	if c.Target != "https://bbb.example.org:8443" || part[NAT](t, c).PublicAddress != "203.0.113.0/24" ||
		part[MediaVoice](t, c).UpLossCI95 != nil || len(c.Causes[0].Evidence) != 2 {
		t.Errorf("got %+v, want the target and the address truncated, no interval, two pieces of evidence", c)
	}
	b, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"anna", "geheim", "token", "ann-a1b", "113.77"} {
		if strings.Contains(string(b), word) {
			t.Errorf("%q is in the redacted report", word)
		}
	}
}

func TestRedactLeavesACleanReportAlone(t *testing.T) {
	if r := full(t); !reflect.DeepEqual(Redact(r, Policy{}), r) {
		t.Errorf("got  %+v\nwant %+v", Redact(r, Policy{}), r)
	}
}

func TestRedactCutsCounts(t *testing.T) {
	r := full(t)
	r.Causes[0].Evidence = make([]Evidence, 40)
	for i := range r.Causes[0].Evidence {
		r.Causes[0].Evidence[i] = Evidence{Probe: "nat", Field: "udp", Value: 1}
	}
	for len(r.Causes) < 100 {
		r.Causes = append(r.Causes, Cause{Code: "net.offline", Severity: SeverityWarn, Area: AreaUnknown})
	}
	if err := Redact(r, Policy{}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestRedactKeepsTheAddressWhereTheOwnerWants(t *testing.T) {
	r := full(t)
	part[NAT](t, r).PublicAddress = "203.0.113.77"
	c := Redact(r, Policy{KeepPublicAddress: true})
	if got := part[NAT](t, c).PublicAddress; got != "203.0.113.77" || c.Validate() != nil {
		t.Errorf("got %q, error %v; want %q, nil", got, c.Validate(), "203.0.113.77")
	}
}

func TestTruncate(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.77":           "203.0.113.0/24",
		"::ffff:203.0.113.77":    "203.0.113.0/24",
		"2001:db8:1:2:3:4:5:6":   "2001:db8:1::/48",
		"fe80::1234%wlp3s0":      "fe80::/48",
		"2001:db8:1:2:3:4:5:6%x": "2001:db8:1::/48",
	} {
		if got := Truncate(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
		if got := truncateText(Truncate(netip.MustParseAddr(in))); got != want {
			t.Errorf("%s truncated twice: got %s, want %s", in, got, want)
		}
	}
	if got := Truncate(netip.Addr{}); got != "" {
		t.Errorf("not an address: got %q, want none", got)
	}
	if got := truncateText("203.0.113.77/32"); got != "203.0.113.0/24" {
		t.Errorf("a complete address in the form of a network: got %q, want %q", got, "203.0.113.0/24")
	}
}

func TestDeviceName(t *testing.T) {
	for in, want := range map[string]string{
		"Anna's AirPods":                         "AirPods",
		"Anna’s AirPods Pro":                     "AirPods Pro",
		"AirPods von Anna Müller":                "AirPods",
		"AirPods de Anna":                        "AirPods",
		"Kopfhörer (AirPods von Anna)":           "Kopfhörer (AirPods)",
		"Monitor of Built-in Audio":              "Monitor of Built-in Audio",
		"Mikrofonarray (Realtek(R) Audio)":       "Mikrofonarray (Realtek(R) Audio)",
		"Jabra Evolve2 65 \u202egnp.exe":         "Jabra Evolve2 65  gnp.exe",
		"bluez_input.AA:BB:CC:DD:EE:FF":          "bluez_input.",
		"USB PnP Sound Device Analog Stereo\n\t": "USB PnP Sound Device Analog Stereo",
	} {
		if got := DeviceName(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := DeviceName(strings.Repeat("ä", 10<<20)); len(got) > maxLongText || got == "" {
		t.Errorf("10 MB: got %d bytes, want 1 to %d", len(got), maxLongText)
	}
}

func TestRedactReachesIntoLists(t *testing.T) {
	r := full(t)
	path := part[NetworkPath](t, r)
	path.Segments[1].RTTMS, path.Segments[1].LossPct = new(math.NaN()), new(100.0000001)
	for len(path.Segments) < 100 {
		path.Segments = append(path.Segments, path.Segments[0])
	}
	c := Redact(r, Policy{})
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	got := part[NetworkPath](t, c).Segments
	if len(got) != 8 || got[1].RTTMS != nil || *got[1].LossPct != 100 || !math.IsNaN(*path.Segments[1].RTTMS) {
		t.Errorf("got %d segments, second %+v, want 8, no round trip, a loss of 100 %%", len(got), got[1])
	}
}
