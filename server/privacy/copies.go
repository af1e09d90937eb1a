package privacy

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
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

// besideCopy are the endings of the files that SQLite puts beside a database.
var besideCopy = [...]string{"-wal", "-shm", "-journal"}

// Copies returns the copies of the database beside it, the oldest first. There is none if there is no such
// folder.
func Copies(dir string) (copies []Copy, err error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for copies of the database: %w", err)
	}
	database := filepath.Base(datadir.Database(dir))
	names := map[string]bool{}
	for _, file := range files {
		if rest, ok := strings.CutPrefix(file.Name(), database); ok && (strings.HasPrefix(rest, ".before-") || strings.HasPrefix(rest, ".version-")) {
			names[file.Name()] = true
		}
	}
	for name := range names {
		if base, beside := copyOf(name); beside && names[base] {
			continue
		}
		c := Copy{Name: name}
		for _, file := range filesOfCopy(name) {
			if info, err := os.Stat(filepath.Join(dir, file)); err == nil {
				c.Bytes += info.Size()
			}
		}
		if i := strings.LastIndexByte(name, '-'); i >= 0 {
			c.MadeAt, _ = time.Parse(copyTime, name[i+1:])
		}
		copies = append(copies, c)
	}
	slices.SortFunc(copies, func(a, b Copy) int { return cmp.Or(a.MadeAt.Compare(b.MadeAt), strings.Compare(a.Name, b.Name)) })
	return copies, nil
}

// copyOf returns the name of the copy that a file of SQLite is beside.
func copyOf(name string) (base string, beside bool) {
	for _, end := range besideCopy {
		if base, beside = strings.CutSuffix(name, end); beside {
			return base, true
		}
	}
	return name, false
}

// filesOfCopy returns the names of the files of a copy.
func filesOfCopy(name string) []string {
	files := []string{name}
	for _, end := range besideCopy {
		files = append(files, name+end)
	}
	return files
}

// DeleteCopy deletes a copy of the database beside it, or returns ErrNoCopy.
func DeleteCopy(dir, name string) error {
	copies, err := Copies(dir)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(copies, func(c Copy) bool { return c.Name == name }) {
		return ErrNoCopy
	}
	files := filesOfCopy(name)
	slices.Reverse(files) // the copy is listed until all are deleted
	for _, file := range files {
		if err := os.Remove(filepath.Join(dir, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
