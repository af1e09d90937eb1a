//go:build linux || darwin

package crash

import "slices"

// eachHome returns the folders below each home.
func eachHome(homes []string, below func(home string) []folder) (all []folder) {
	for _, home := range homes {
		all = slices.Concat(all, below(home))
	}
	return all
}
