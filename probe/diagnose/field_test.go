package diagnose_test

import (
	"math"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestFieldUnit(t *testing.T) {
	for field, want := range map[string]string{
		"active_level_dbfs": "dBFS", "os_volume_db": "dB", "late_pct_60ms": "%", "binding_lifetime_s": "s", "signal_dbm": "dBm",
		"up_kbps": "kbit/s", "mos": "", "hairpin": "", "": "", "tls_rtt_ms": "ms", "hum_hz": "Hz",
	} {
		if got := diagnose.FieldUnit(field); got != want {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
}

func TestFieldValues(t *testing.T) {
	got := diagnose.FieldValues(&report.NAT{UDP: report.ReachOpen, UDPRTTMS: new(12.5)})
	if got["udp"] != "open" || got["udp_rtt_ms"] != 12.5 {
		t.Errorf("%v", got)
	}
	for name, d := range map[string]report.Data{"none": nil, "a typed nil": (*report.NAT)(nil), "no number": &report.NAT{UDPRTTMS: new(math.NaN())}} {
		if got := diagnose.FieldValues(d); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
