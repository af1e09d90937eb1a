//go:build linux || darwin

package crash

import (
	"os"
	"path/filepath"
	"slices"
)

// homes returns the home folders whose crashes count: the user's own, and for the
// service, which runs as user 0 (root), those of all users. people is the pattern of theirs.
func homes(people string, user int) []string {
	var all []string
	if home, err := os.UserHomeDir(); err == nil {
		all = append(all, home)
	}
	if user == 0 {
		others, _ := filepath.Glob(people)
		for _, home := range others {
			if !slices.Contains(all, home) { // sudo may keep HOME
				all = append(all, home)
			}
		}
	}
	return all
}

// eachHome returns the folders below each home.
func eachHome(homes []string, below func(home string) []folder) (all []folder) {
	for _, home := range homes {
		all = slices.Concat(all, below(home))
	}
	return all
}
