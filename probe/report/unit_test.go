package report

import "testing"

func TestUnitOf(t *testing.T) {
	for field, want := range map[string]string{
		"active_level_dbfs": "dBFS", "os_volume_db": "dB", "late_pct_60ms": "%", "binding_lifetime_s": "s", "signal_dbm": "dBm",
		"up_kbps": "kbit/s", "mos": "", "hairpin": "", "": "", "tls_rtt_ms": "ms", "hum_hz": "Hz", "snr_db": "dB", "rtt_p50_ms": "ms",
		"up_loss_pct_ci95": "%", "up_bytes": "Byte", "device": "", "dropouts": "",
	} {
		if got, ok := unitOf(field); got.sign != want || ok != (want != "") {
			t.Errorf("%s: got %q, want %q", field, got.sign, want)
		}
	}
}
