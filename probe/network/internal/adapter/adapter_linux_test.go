package adapter

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest"
)

func TestSignalOf(t *testing.T) {
	const heading = "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n" +
		" face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n"
	for line, want := range map[string]float64{
		" wlp3s0: 0000   46.  -64.  -256        0      0      0      0     25        0\n": -64,
		" wlp3s0: 0000   46.  192.  -256        0      0      0      0     25        0\n": -64,
		"wlp3s0: 0000 46. -64 -256\n":                 -64,
		" wlp3s0: 0000    0.  -256.  -256  0 0 0\n":   0,
		" wlp3s0: 0000   46.   40.     0   0 0 0\n":   0,
		" wlp3s01: 0000   46.  -64.  -256  0 0 0\n":   0,
		" wlp3s0: 0000   46.  nonsense  -256  0 0 \n": 0,
		"": 0,
	} {
		got := signalOf(heading+line, "wlp3s0")
		if (got == nil) != (want == 0) || got != nil && *got != want {
			t.Errorf("%q: got %v, want %v", line, probetest.Value(got), want)
		}
	}
}

func TestTunnelNames(t *testing.T) {
	for name, want := range map[string]bool{
		"tun0": true, "tap1": true, "wg0": true, "ppp0": true, "utun4": true, "tailscale0": true,
		"eth0": false, "enp3s0": false, "wlan0": false, "wlp2s0": false, "en0": false, "WLAN": false, "Ethernet": false,
	} {
		if isTunnelName(name) != want {
			t.Errorf("%s: got tunnel %t, want %t", name, !want, want)
		}
	}
}
