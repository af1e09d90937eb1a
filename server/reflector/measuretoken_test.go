package reflector

import (
	"strings"
	"testing"
	"time"
)

func TestMeasureToken(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	r := &Reflector{cfg: Config{TURNSecret: []byte("0123456789abcdef"), CredentialTTL: 10 * time.Minute, Now: func() time.Time { return now }}}
	r.relay = &relay{cfg: r.cfg}
	token := r.measureToken("1795954200:0192-anna") // 12:10:00
	if owner, ok := r.MeasureOwner(token); !ok || owner != "0192-anna" {
		t.Errorf("got owner %q, ok %v; want %q, true", owner, ok, "0192-anna")
	}
	other := &Reflector{cfg: Config{TURNSecret: []byte("another secret"), CredentialTTL: 10 * time.Minute, Now: r.cfg.Now}}
	other.relay = &relay{cfg: other.cfg}
	for what, bad := range map[string]string{
		"of another collector":  other.measureToken("1795954200:0192-anna"),
		"of the distant future": r.measureToken("1895954200:0192-anna"),
		"cut":                   token[:len(token)-3], "changed": strings.Replace(token, "measure.M", "measure.N", 1),
		"a TURN password": measurePrefix + "MTc5NTk1NDIwMDowMTkyLWFubmE." + r.relay.password("1795954200:0192-anna"),
		"empty":           "", "prefix": measurePrefix, "no signature": measurePrefix + "MTc5NTk1NDIwMDowMTkyLWFubmE",
	} {
		if owner, ok := r.MeasureOwner(bad); ok {
			t.Errorf("%s: got owner %q, want it refused", what, owner)
		}
	}
	now = now.Add(11 * time.Minute)
	if _, ok := r.MeasureOwner(token); ok {
		t.Error("an expired token was accepted")
	}
}
