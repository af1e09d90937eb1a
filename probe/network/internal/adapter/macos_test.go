package adapter

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest"
)

// hardwarePorts is the output of networksetup on macOS 14.
const hardwarePorts = `
Hardware Port: Ethernet Adapter (en4)
Device: en4
Ethernet Address: 02:00:00:00:00:04

Hardware Port: Wi-Fi
Device: en0
Ethernet Address: 02:00:00:00:00:00

Hardware Port: USB 10/100/1000 LAN
Device: en7
Ethernet Address: 02:00:00:00:00:07

Hardware Port: iPhone USB
Device: en8
Ethernet Address: 02:00:00:00:00:08

Hardware Port: Thunderbolt Bridge
Device: bridge0
Ethernet Address: N/A

VLAN Configurations
===================
`

func TestKindOfPort(t *testing.T) {
	for device, want := range map[string]Kind{
		"en0": WiFi, "en4": Ethernet, "en7": Ethernet, "en8": Cellular, "bridge0": Ethernet, "en9": "", "": "",
	} {
		if got := kindOfPort(hardwarePorts, device); got != want {
			t.Errorf("%s: got %q, want %q", device, got, want)
		}
	}
}

// airportProfile is the output of system_profiler on macOS 14, shortened.
const airportProfile = `{"SPAirPortDataType":[{"spairport_airport_interfaces":[
 {"_name":"en0","spairport_current_network_information":{"_name":"<redacted>","spairport_network_channel":"44 (5GHz, 80MHz)",
  "spairport_network_mcs":9,"spairport_network_phymode":"802.11ac","spairport_network_rate":866,
  "spairport_security_mode":"spairport_security_mode_wpa2_personal","spairport_signal_noise":"-52 dBm / -92 dBm"},
  "spairport_status_information":"spairport_status_connected"},
 {"_name":"awdl0","spairport_current_network_information":{"spairport_network_type":"spairport_network_type_station"}}]}]}`

func TestAirport(t *testing.T) {
	signal, rate := airport([]byte(airportProfile), "en0")
	if signal == nil || *signal != -52 || rate == nil || *rate != 866 {
		t.Errorf("got signal %v, rate %v; want -52, 866", probetest.Value(signal), probetest.Value(rate))
	}
	old := `{"SPAirPortDataType":[{"spairport_airport_interfaces":[{"_name":"en0","spairport_current_network_information":{"spairport_network_rate":"130","spairport_signal_noise":"0 dBm / 0 dBm"}}]}]}`
	if signal, rate := airport([]byte(old), "en0"); signal != nil || rate == nil || *rate != 130 {
		t.Errorf("older system: got signal %v, rate %v; want nil, 130", probetest.Value(signal), probetest.Value(rate))
	}
	for _, b := range []string{"", "{}", "[]", airportProfile[:200]} {
		if signal, rate := airport([]byte(b), "en0"); signal != nil || rate != nil {
			t.Errorf("%.20q: got signal %v, rate %v; want nil, nil", b, probetest.Value(signal), probetest.Value(rate))
		}
	}
	if signal, rate := airport([]byte(airportProfile), "awdl0"); signal != nil || rate != nil {
		t.Errorf("awdl0: got signal %v, rate %v; want nil, nil", probetest.Value(signal), probetest.Value(rate))
	}
}

func FuzzMacOS(f *testing.F) {
	f.Add(airportProfile, "en0")
	f.Add(hardwarePorts, "en4")
	f.Fuzz(func(t *testing.T, text, device string) {
		kindOfPort(text, device)
		signal, rate := airport([]byte(text), device)
		if signal != nil && !isSignal(*signal) || rate != nil && !(*rate > 0) {
			t.Errorf("got signal %v, rate %v, want none or plausible values", probetest.Value(signal), probetest.Value(rate))
		}
	})
}
