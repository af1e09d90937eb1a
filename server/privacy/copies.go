package privacy

import (
	"path/filepath"

	"github.com/tonprobe/tonprobe/server/datadir"
)

// Copies returns the copies of the database beside it, which still contain people who were erased: those
// that a new version or a restoration has made.
func Copies(dir string) (files []string) {
	for _, pattern := range []string{".before-*", ".version-*"} {
		found, _ := filepath.Glob(datadir.Database(dir) + pattern) // the patterns are valid
		files = append(files, found...)
	}
	return files
}
