//go:build linux || darwin

package crash

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestHomes: the service of the machine also reads the crashes of the people's programs; a person only
// their own.
func TestHomes(t *testing.T) {
	users := t.TempDir()
	var people []string
	for _, name := range []string{"anna", "berta"} {
		home := filepath.Join(users, name)
		if err := os.Mkdir(home, 0o755); err != nil {
			t.Fatal(err)
		}
		people = append(people, home)
	}
	for _, own := range []string{people[0], filepath.Join(users, "root", "home")} {
		t.Setenv("HOME", own)
		want := []string{own}
		if os.Geteuid() == 0 {
			for _, home := range people {
				if home != own {
					want = append(want, home)
				}
			}
		}
		if got := homes(filepath.Join(users, "*")); !slices.Equal(got, want) {
			t.Errorf("HOME %s: got %q, want %q", own, got, want)
		}
	}
}
