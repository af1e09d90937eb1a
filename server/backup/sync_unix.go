//go:build unix

package backup

import (
	"errors"
	"fmt"
	"os"
)

// syncFolder puts the names in a folder on the disk: fsync of a file does not
// (fsync(2), notes).
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("sync %s: %w", folder, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", folder, err)
	}
	return nil
}
