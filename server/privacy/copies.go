package privacy

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/server/datadir"
)

// ErrNoCopy means that a file is not a copy of the database.
var ErrNoCopy = errors.New("there is no such copy of the database")

// copyTime is the form of the time at the end of the name of a copy.
const copyTime = "20060102T150405.000Z"

// Copy is a copy of the database beside it, which a new version or a restoration has made. It still contains
// people who were erased since.
type Copy struct {
	Name   string    `json:"name"`
	MadeAt time.Time `json:"made_at,omitzero"` // zero if the name does not say
	Bytes  int64     `json:"bytes"`
}

// Copies returns the copies of the database beside it, the oldest first.
func Copies(dir string) (copies []Copy) {
	for _, pattern := range []string{".before-*", ".version-*"} {
		found, _ := filepath.Glob(datadir.Database(dir) + pattern) // the patterns are valid
		for _, file := range found {
			c := Copy{Name: filepath.Base(file)}
			if info, err := os.Stat(file); err == nil {
				c.Bytes = info.Size()
			}
			if i := strings.LastIndexByte(c.Name, '-'); i >= 0 {
				c.MadeAt, _ = time.Parse(copyTime, c.Name[i+1:])
			}
			copies = append(copies, c)
		}
	}
	slices.SortStableFunc(copies, func(a, b Copy) int { return a.MadeAt.Compare(b.MadeAt) })
	return copies
}

// DeleteCopy deletes a copy of the database beside it, or returns ErrNoCopy.
func DeleteCopy(dir, name string) error {
	if !slices.ContainsFunc(Copies(dir), func(c Copy) bool { return c.Name == name }) {
		return ErrNoCopy
	}
	return os.Remove(filepath.Join(filepath.Dir(datadir.Database(dir)), name))
}
