package diagnose

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestAMadeUpCause: one entry is sufficient for a rule to be evaluated, ordered and
// suppressed.
func TestAMadeUpCause(t *testing.T) {
	madeUp := Definition{
		Code: "net.made_up", Position: 1, Severity: report.SeverityFail, Area: report.AreaProvider,
		Needs: []string{report.ProbeNetworkLink},
		rule: func(f *facts) *finding {
			if f.link == nil || f.link.Kind != "cellular" {
				return nil
			}
			return fault(likely, observed(report.ProbeNetworkLink, "kind", f.link.Kind, ""))
		},
	}
	p, err := LoadProfile(DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	cellular := &facts{link: &report.NetworkLink{Kind: "cellular"}, in: &report.AudioInput{State: report.CaptureNoDevice}, Profile: p}
	found := diagnoseBy(cellular, slices.Insert(Catalogue(), 0, madeUp))
	if len(found) != 2 || found[0].definition.Code != madeUp.Code || !found[0].primary {
		t.Errorf("got %+v, want %s as the primary", found, madeUp.Code)
	}
	if found[0].cause().Area != report.AreaProvider {
		t.Errorf("got area %+v, want that of the entry", found[0].cause())
	}
	madeUp.Position, madeUp.SuppressedBy = 5000, []string{"audio.no_microphone"}
	if found := diagnoseBy(cellular, append(Catalogue(), madeUp)); len(found) != 1 || found[0].definition.Code != "audio.no_microphone" {
		t.Errorf("suppressed: got %+v; want 1 entry, [0].definition.Code %q", found, "audio.no_microphone")
	}
}

// TestACauseTouchesFewFiles: an ordinary cause is named in its entry and in the texts
// of both languages, and nowhere else in the product. The limit is four files.
func TestACauseTouchesFewFiles(t *testing.T) {
	for _, code := range []string{"net.vpn_active", "net.clock_wrong", "audio.dc_offset", "net.cgnat", "conf.cert_invalid"} {
		var files []string
		err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			switch ext := filepath.Ext(path); {
			case d.IsDir():
				if d.Name() == "testdata" || d.Name() == "testbench" || d.Name() == "docs" || d.Name() == ".git" {
					return fs.SkipDir
				}
				return nil
			case !slices.Contains([]string{".go", ".toml", ".html", ".js", ".sql"}, ext) || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			text, err := os.ReadFile(path)
			if strings.Contains(string(text), code) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(files) < 3 || len(files) > 4 {
			t.Errorf("%s is named in %q", code, files)
		}
	}
}
