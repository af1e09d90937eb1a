package voices

import (
	"context"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// TestRumble: sound that conference programs filter out causes no fault and hides none.
//
// A soft buzz under fan noise is not found: its strongest line, 50 Hz, is below the noise around it.
func TestRumble(t *testing.T) {
	need.Full(t, "analyses many recordings")
	judged, err := Judge(context.Background(), studio(t), rumbling(), profile(t))
	if err != nil {
		t.Fatal(err)
	}
	masked := func(f Fixture) bool {
		return f.Truth == "audio.hum" && strings.HasSuffix(f.Kind, "ventilation") && f.Strength == "-46 dBFS"
	}
	for _, j := range judged {
		if !j.Right() && !masked(j.Fixture) {
			t.Errorf("%s: truth %q, got %s (%s)", j.Fixture.Name(), j.Fixture.Truth, causes(j.Outcome.Causes), figures(j.Outcome.Input))
		}
	}
	t.Logf("%d fixtures", len(judged))
}
