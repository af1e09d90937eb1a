package probe_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAProbeTouchesFewFiles: an ordinary probe is named in its package, its data type,
// the schema, the plan and the texts of both languages, and nowhere else. The rules
// that read its data belong to their causes, the watchers use the measurements of some
// packages outside of checks, and the made-up evening of the demo needs no new probe.
func TestAProbeTouchesFewFiles(t *testing.T) {
	const limit = 6
	for _, words := range [][]string{
		{"host.load", "ProbeHostLoad", `probe/host/load"`},
		{"network.link", "ProbeNetworkLink", `probe/network/link"`},
	} {
		t.Run(words[0], func(t *testing.T) {
			files := naming(t, words, "probe/"+strings.ReplaceAll(words[0], ".", "/"))
			if len(files) < 3 || len(files) > limit {
				t.Errorf("named in %d files, want at most %d: %q", len(files), limit, files)
			}
		})
	}
}

// naming returns the files of the product that contain one of the words. The files of
// the probe's own package count as one, and those with rules are excluded.
func naming(t *testing.T, words []string, own string) (files []string) {
	t.Helper()
	for _, tree := range []string{"agent", "cmd", "probe", "server", "tui"} {
		err := filepath.WalkDir(filepath.Join("..", tree), func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name := strings.TrimPrefix(filepath.ToSlash(file), "../")
			switch {
			case d.IsDir() && (d.Name() == "testdata" || slices.Contains([]string{"probe/internal", "cmd/load", "cmd/demo/evening", "agent/watch"}, name)):
				return fs.SkipDir
			case d.IsDir(),
				!slices.Contains([]string{".go", ".toml", ".json", ".html", ".js", ".sql"}, filepath.Ext(name)),
				strings.HasSuffix(name, "_test.go"),
				strings.HasPrefix(name, "probe/diagnose/") && filepath.Ext(name) == ".go":
				return nil
			case strings.HasPrefix(name, own+"/"):
				name = own
			}
			text, err := os.ReadFile(file)
			if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(string(text), w) }) && !slices.Contains(files, name) {
				files = append(files, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}
