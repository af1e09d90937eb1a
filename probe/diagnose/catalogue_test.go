package diagnose_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// closure is an independent implementation of explainedBy, from the public catalogue.
func closure() map[string]map[string]bool {
	direct := map[string][]string{}
	for _, d := range diagnose.Catalogue() {
		direct[d.Code] = d.SuppressedBy
	}
	closed := map[string]map[string]bool{}
	for code := range direct {
		set := map[string]bool{}
		for open := slices.Clone(direct[code]); len(open) > 0; {
			by := open[0]
			open = open[1:]
			if !set[by] {
				set[by] = true
				open = append(open, direct[by]...)
			}
		}
		closed[code] = set
	}
	return closed
}

func TestCatalogueIsSound(t *testing.T) {
	known := map[string]diagnose.Definition{}
	probes := []string{report.ProbeAudioInput, report.ProbeAudioOutput, report.ProbeNAT, report.ProbeMediaVoice, report.ProbeNetworkWeb,
		report.ProbeNATBehavior, report.ProbeNATTURN, report.ProbeNetworkLink, report.ProbeNetworkPath, report.ProbeMediaLoad, report.ProbeYouTube,
		report.ProbeBBB, report.ProbeLiveKit, report.ProbeJanus, report.ProbeWHIP, report.ProbeZoom, report.ProbeHostCrash, report.ProbeHostLoad}
	last := 0
	for _, d := range diagnose.Catalogue() {
		if _, twice := known[d.Code]; twice {
			t.Errorf("%s is a duplicate", d.Code)
		}
		if group, name, ok := strings.Cut(d.Code, "."); !ok || name == "" || !slices.Contains([]string{"audio", "net", "conf", "host"}, group) {
			t.Errorf("%q is not a valid code", d.Code)
		}
		if d.Position <= last {
			t.Errorf("%s has position %d, which is not after its predecessor's", d.Code, d.Position)
		}
		last = d.Position
		for _, by := range d.SuppressedBy {
			cause, ok := known[by]
			if !ok {
				t.Errorf("%s is explained by %s, which does not precede it", d.Code, by)
			}
			// The explaining cause takes over the severity, so its own maximum must not be
			// lower.
			if blind := by == "audio.no_user_session" || by == "net.test_server_down"; rank(cause.Severity) < rank(d.Severity) && !blind {
				t.Errorf("%s (%s) cannot take over the severity of %s (%s)", by, cause.Severity, d.Code, d.Severity)
			}
		}
		if d.Area == "" || rank(d.Severity) < 1 || len(d.Needs) == 0 {
			t.Errorf("%s: area %q, severity %q, needs %q", d.Code, d.Area, d.Severity, d.Needs)
		}
		for _, p := range d.Needs {
			if !slices.Contains(probes, p) {
				t.Errorf("%s needs the unknown probe %q", d.Code, p)
			}
		}
		known[d.Code] = d
	}
}

// TestNeedsNamesEveryProbeRead: the evidence of a cause comes from the probes listed in
// Needs.
func TestNeedsNamesEveryProbeRead(t *testing.T) {
	for code, provoke := range provocations() {
		d, _ := diagnose.Lookup(code)
		r := healthy()
		provoke(r)
		r.Probes = slices.DeleteFunc(r.Probes, func(p report.Result) bool { return !slices.Contains(d.Needs, p.Name) })
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		if !slices.Contains(codes(causes), code) {
			t.Errorf("%s is not reported with only %q", code, d.Needs)
		}
	}
}

func TestLookup(t *testing.T) {
	d, ok := diagnose.Lookup("audio.hum")
	if !ok || d.Code != "audio.hum" || !reflect.DeepEqual(d.Needs, []string{"audio.input"}) {
		t.Errorf("Lookup = %+v, %v, want audio.hum, which needs audio.input", d, ok)
	}
	if _, ok := diagnose.Lookup("audio.nonsense"); ok {
		t.Error("Lookup finds an unknown code")
	}
}

func TestCatalogueIsTheCallersOwn(t *testing.T) {
	c := diagnose.Catalogue()
	for i := range c {
		c[i].Code = "changed"
		for j := range c[i].SuppressedBy {
			c[i].SuppressedBy[j] = "changed"
		}
	}
	for _, d := range diagnose.Catalogue() {
		if d.Code == "changed" || slices.Contains(d.SuppressedBy, "changed") {
			t.Fatal("a caller can modify the catalogue")
		}
	}
}
