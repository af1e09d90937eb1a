package nat

import (
	"context"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestServerHeard checks that the collector's statement is in the report, even if
// no server answers, and that an impossible one is not.
func TestServerHeard(t *testing.T) {
	for name, c := range map[string]struct {
		ms   *int64
		want *float64
	}{
		"no statement":  {nil, nil},
		"just now":      {new(int64(0)), new(0.0)},
		"1.5 s ago":     {new(int64(1500)), new(1.5)},
		"in the future": {new(int64(-1)), nil},
		"days ago":      {new(int64(1) << 40), nil},
	} {
		r, err := New(Config{ICE: func(context.Context) (wire.ICEConfig, error) {
			return wire.ICEConfig{HeardMS: c.ms}, nil
		}}).Run(t.Context(), probetest.Env(t))
		if err != nil {
			t.Fatal(err)
		}
		got := r.Data.(*report.NAT).ServerHeardS
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: got %v, want %v", name, probetest.Value(got), probetest.Value(c.want))
		}
	}
}
