package words

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// shown are the fields that a person may want to see, per probe and in order.
// The rest stands in `tonprobe report show`.
var shown = map[string][]string{
	report.ProbeAudioInput: {
		"device", "os_muted", "os_volume_db", "active_level_dbfs", "peak_dbfs",
		"noise_floor_dbfs", "snr_db", "clipped_pct", "speech_ms", "native_rate_hz",
	},
	report.ProbeAudioOutput: {"device", "os_muted", "loop_heard", "loop_delay_ms"},
	report.ProbeNetworkWeb:  {"dns_ms", "tcp_ms", "tls_ms", "http_ms", "proxy", "clock_offset_ms"},
	report.ProbeNAT:         {"udp", "tcp", "udp_rtt_ms", "tcp_rtt_ms"},
	report.ProbeNATBehavior: {"mapping", "filtering"},
	report.ProbeNATTURN:     {"udp_rtt_ms", "tcp_rtt_ms", "tls_rtt_ms"},
	report.ProbeMediaVoice: {
		"path", "up_loss_pct", "down_loss_pct", "up_jitter_ms", "down_jitter_ms",
		"rtt_p50_ms", "rtt_p95_ms", "mos",
	},
	report.ProbeMediaLoad:   {"up_kbps", "down_kbps", "idle_rtt_ms", "loaded_rtt_up_ms", "loaded_rtt_down_ms"},
	report.ProbeNetworkLink: {"kind", "signal_dbm", "gateway_rtt_ms", "gateway_loss_pct", "vpn"},
	report.ProbeNetworkPath: {"line", "fault_segment"},
}

// valuesOf reads the fields of a probe's data by their names in the report;
// nil when there is no data.
func valuesOf(d report.Data) map[string]any {
	if d == nil {
		return nil
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return nil // NaN or infinite: such a report does not validate either
	}
	var values map[string]any
	if json.Unmarshal(raw, &values) != nil {
		return nil
	}
	return values
}

// units are the parts of field names (DESIGN.md) that say the unit, as people
// write it.
var units = map[string]string{
	"dbfs": "dBFS", "dbtp": "dBTP", "lufs": "LUFS", "db": "dB", "dbm": "dBm", "ms": "ms", "s": "s",
	"pct": "%", "hz": "Hz", "kbps": "kbit/s", "mbps": "Mbit/s",
}

// unitOf is the unit a field is in: that of the last part which is one, as a
// condition may stand behind it (late_pct_60ms).
func unitOf(field string) string {
	for _, part := range slices.Backward(strings.Split(field, "_")) {
		if unit, ok := units[part]; ok {
			return unit
		}
	}
	return ""
}
