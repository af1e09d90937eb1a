package probe_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAProbeTouchesFewFiles: an ordinary probe is named in its package, its data type,
// the schema, the plan and the texts of both languages, and nowhere else. The rules
// that read its data belong to their causes, the watchers use the measurements of some
// packages outside of checks, and neither the made-up evening of the demo nor the browser
// check, which measures what a browser can, needs a new probe.
func TestAProbeTouchesFewFiles(t *testing.T) {
	const limit = 6
	product := productFiles(t)
	for _, p := range []struct{ name, constant, built, own string }{
		{"host.load", "ProbeHostLoad", `probe/host/load"`, "probe/host/load"},
		// Of network probes: one that sends a little all the time, two with phases that
		// wait for others, one that needs the collector and runs on request, and two
		// that share a package.
		{"network.link", "ProbeNetworkLink", `probe/network/link"`, "probe/network/link"},
		{"network.web", "ProbeNetworkWeb", `probe/network/web"`, "probe/network/web"},
		{"network.path", "ProbeNetworkPath", `probe/network/path"`, "probe/network/path"},
		{"media.load", "ProbeMediaLoad", `probe/network/load"`, "probe/network/load"},
		{"nat.behavior", "ProbeNATBehavior", "nat.NewBehavior(", "probe/nat"},
		{"nat.turn", "ProbeNATTURN", "nat.NewTURN(", "probe/nat"},
	} {
		t.Run(p.name, func(t *testing.T) {
			files := naming(product, []string{p.name, p.constant, p.built}, p.own)
			for _, expected := range []string{p.own, "agent/check/steps.go", "probe/report/schema.json", "probe/diagnose/texts/de.toml"} {
				if !slices.Contains(files, expected) {
					t.Errorf("not named in %s, so the count means nothing: %q", expected, files)
				}
			}
			if len(files) > limit {
				t.Errorf("named in %d files, want at most %d: %q", len(files), limit, files)
			}
		})
	}
}

var goComment = regexp.MustCompile(`(?m)(?:^|\s)//.*$`)

// productFiles returns the files of the product without comments, by name. Those with
// rules are excluded.
func productFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, tree := range []string{"agent", "cmd", "probe", "server", "tui"} {
		err := filepath.WalkDir(filepath.Join("..", tree), func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name := strings.TrimPrefix(filepath.ToSlash(file), "../")
			switch {
			case d.IsDir() && (d.Name() == "testdata" || slices.Contains([]string{"probe/internal", "cmd/load", "cmd/demo/evening", "cmd/tonprobe-browser", "agent/watch"}, name)):
				return fs.SkipDir
			case d.IsDir(),
				!slices.Contains([]string{".go", ".toml", ".json", ".html", ".js", ".sql"}, filepath.Ext(name)),
				strings.HasSuffix(name, "_test.go"),
				strings.HasPrefix(name, "probe/diagnose/") && filepath.Ext(name) == ".go":
				return nil
			}
			text, err := os.ReadFile(file)
			if filepath.Ext(name) == ".go" {
				text = goComment.ReplaceAll(text, nil)
			}
			files[name] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// naming returns which of the files contain one of the words. Those of the probe's own
// package count as one.
func naming(files map[string]string, words []string, own string) (found []string) {
	for name, text := range files {
		if strings.HasPrefix(name, own+"/") {
			name = own
		}
		if !slices.Contains(found, name) && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) }) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}
