package words

import "github.com/tonprobe/tonprobe/probe/report"

// shown are the fields that a person may want to see, per probe and in order.
// The rest stands in `tonprobe report show`.
var shown = map[string][]string{
	report.ProbeAudioInput: {
		"device", "os_muted", "os_volume_db", "active_level_dbfs", "peak_dbfs",
		"noise_floor_dbfs", "snr_db", "clipped_pct", "speech_ms", "native_rate_hz",
	},
	report.ProbeAudioOutput: {"device", "os_muted", "tone_heard", "loop_heard", "loop_delay_ms"},
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
