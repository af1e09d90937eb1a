package adapter

import (
	"encoding/json"
	"strconv"
	"strings"
)

// kindOfPort parses the output of networksetup -listallhardwareports on macOS: for each port three lines, its kind, its
// device and its address.
//
//	Hardware Port: Wi-Fi
//	Device: en0
//	Ethernet Address: …
func kindOfPort(list, device string) Kind {
	port := ""
	for line := range strings.Lines(list) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case !ok:
		case key == "Hardware Port":
			port = strings.ToLower(value)
		case key == "Device" && value == device:
			return kindOfPortName(port)
		}
	}
	return ""
}

func kindOfPortName(port string) Kind {
	switch {
	case port == "wi-fi", port == "airport":
		return WiFi
	case strings.Contains(port, "iphone"), strings.Contains(port, "ipad"), strings.Contains(port, "bluetooth"), strings.Contains(port, "modem"):
		return Cellular // tethering
	case strings.Contains(port, "ethernet"), strings.Contains(port, "lan"), strings.Contains(port, "thunderbolt"):
		return Ethernet
	}
	return ""
}

// airport parses the output of system_profiler SPAirPortDataType -json on macOS for the signal and the rate of one
// interface. The signal precedes the noise, as in "-52 dBm / -92 dBm".
func airport(profile []byte, device string) (signalDBM, rateMbps *float64) {
	var d struct {
		SPAirPortDataType []struct {
			Interfaces []struct {
				Name    string `json:"_name"`
				Current struct {
					SignalNoise string          `json:"spairport_signal_noise"`
					Rate        json.RawMessage `json:"spairport_network_rate"` // a number; in older systems a string
				} `json:"spairport_current_network_information"`
			} `json:"spairport_airport_interfaces"`
		}
	}
	if json.Unmarshal(profile, &d) != nil {
		return nil, nil
	}
	for _, t := range d.SPAirPortDataType {
		for _, i := range t.Interfaces {
			if i.Name != device {
				continue
			}
			signal, _, _ := strings.Cut(i.Current.SignalNoise, " dBm")
			if dbm, err := strconv.ParseFloat(strings.TrimSpace(signal), 64); err == nil && isSignal(dbm) {
				signalDBM = &dbm
			}
			if mbps, err := strconv.ParseFloat(strings.Trim(string(i.Current.Rate), `"`), 64); err == nil && mbps > 0 && mbps < 1e6 {
				rateMbps = &mbps
			}
			return signalDBM, rateMbps
		}
	}
	return nil, nil
}

// isSignal reports whether a value is a plausible Wi-Fi level in dBm: some drivers report a quality from 0 on, or a marker for
// "no reading".
func isSignal(dbm float64) bool { return dbm < 0 && dbm >= -120 }
