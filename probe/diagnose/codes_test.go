package diagnose

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	quotedCode = regexp.MustCompile(`"(?:audio|net|conf|host)\.[a-z0-9_]+"`)
	goComment  = regexp.MustCompile(`(?m)(?:^|\s)//.*$`)
	// comparison matches the comparison of a code, in a rule or in the list of a group.
	comparison = regexp.MustCompile(`(?:[=!]=|case\b[^\n]*) *` + quotedCode.String())
)

// TestCodesAreOnlyInTheCatalogue: whatever is special about a cause is a field of its
// definition. So no screen, no page and no other part of the diagnosis contains a code.
// The numbers of conference systems point to causes by their codes.
func TestCodesAreOnlyInTheCatalogue(t *testing.T) {
	const root = "../.."
	searched := 0
	for _, tree := range []string{"agent", "cmd", "probe", "server", "tui"} {
		err := filepath.WalkDir(filepath.Join(root, tree), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name := strings.TrimPrefix(filepath.ToSlash(path), root+"/")
			switch {
			case d.IsDir() && (d.Name() == "testdata" || d.Name() == "testbench" || name == "server/internal/storetest" || name == "probe/diagnose/systemcode"):
				return fs.SkipDir
			case d.IsDir(), strings.HasSuffix(name, "_test.go"), !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".js") && !strings.HasSuffix(name, ".html"):
				return nil
			}
			pattern := quotedCode
			if strings.HasPrefix(name, "probe/diagnose/rules_") || name == "probe/diagnose/groups.go" {
				pattern = comparison // the definitions themselves
			}
			text, err := os.ReadFile(path)
			searched++
			for _, found := range pattern.FindAllString(goComment.ReplaceAllString(string(text), ""), -1) {
				code := strings.Trim(quotedCode.FindString(found), `"`)
				if _, known := Lookup(code); known {
					t.Errorf("%s contains the code %s; make what is special about it a field of Definition", name, code)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if searched < 100 {
		t.Errorf("searched only %d files", searched)
	}
}
