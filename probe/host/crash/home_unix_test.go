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
		all := []string{own}
		for _, home := range people {
			if home != own {
				all = append(all, home)
			}
		}
		for user, want := range map[int][]string{0: all, 1000: {own}} {
			if got := homes(filepath.Join(users, "*"), user); !slices.Equal(got, want) {
				t.Errorf("HOME %s, user %d: got %q, want %q", own, user, got, want)
			}
		}
	}
}
