package server

import (
	"errors"
	"fmt"

	"github.com/tonprobe/tonprobe/server/datadir"
)

// leastRoom is the minimum space for a collector to continue: SQLite uses up to 64 MiB
// of write-ahead log (journal_size_limit), and a batch of reports may take 8 MiB.
const leastRoom = 72 << 20

// errNoRoom means that the disk is full.
var errNoRoom = errors.New("the disk with the data directory is full: free some space, or move the directory")

// enoughRoom returns errNoRoom if the next reports may not fit.
func enoughRoom(dir string) error {
	free, err := datadir.FreeBytes(dir)
	if err != nil {
		return err
	}
	if free < leastRoom {
		return fmt.Errorf("%w (%d MiB are free in %s, %d are needed)", errNoRoom, free>>20, dir, leastRoom>>20)
	}
	return nil
}

// wrapDiskFull attributes err to a full disk if there is hardly any space: SQLite then
// reports "disk I/O error (4874)", because its shared memory cannot grow.
func wrapDiskFull(dir string, err error) error {
	const hardlyAny = 1 << 20
	if free, freeErr := datadir.FreeBytes(dir); freeErr == nil && free < hardlyAny {
		return fmt.Errorf("%w (%s): %w", errNoRoom, dir, err)
	}
	return err
}
