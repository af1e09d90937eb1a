package station

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/identity"
)

// MayOwn reports whether a folder may be given to the service as a whole: it is missing or
// empty, or it contains an identity, a spool or
// a configuration.
func MayOwn(dir string) bool {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) { // without permission the installation fails anyway
		return true
	}
	return err == nil && (len(entries) == 0 || slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return slices.Contains([]string{identity.FileName, spoolFolder, config.FileName}, e.Name())
	}))
}
