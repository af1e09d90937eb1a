package diagnose

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// FieldValues reads the fields of a probe's data by their names in the report;
// nil when there is no data.
func FieldValues(d report.Data) map[string]any {
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

// FieldUnit is the unit that a field's name says it is in, as people write it:
// that of the last part which is one, as a condition may stand behind it
// (late_pct_60ms); "" for a field without.
func FieldUnit(field string) string {
	for _, part := range slices.Backward(strings.Split(field, "_")) {
		if unit := unitNames[part]; unit != "" {
			return unit
		}
	}
	return ""
}

// unitNames are the parts of field names that say the unit.
var unitNames = map[string]string{
	"dbfs": "dBFS", "dbtp": "dBTP", "lufs": "LUFS", "db": "dB", "dbm": "dBm", "ms": "ms", "s": "s",
	"pct": "%", "hz": "Hz", "kbps": "kbit/s", "mbps": "Mbit/s",
}
