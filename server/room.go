package server

import (
	"errors"
	"fmt"

	"github.com/tonprobe/tonprobe/server/datadir"
)

// leastRoom is what a collector needs to go on for a while: SQLite keeps up to
// 64 MiB of write-ahead log (journal_size_limit), and a batch of reports may
// take 8 MiB.
const leastRoom = 72 << 20

// errNoRoom says that the disk is full.
var errNoRoom = errors.New("the disk that holds the data directory is full: make room there, or move the directory")

// enoughRoom returns errNoRoom where the next reports may not fit.
func enoughRoom(dir string) error {
	free, err := datadir.FreeBytes(dir)
	if err != nil {
		return err
	}
	if free < leastRoom {
		return fmt.Errorf("%w (%d MiB are free in %s, %d are wanted)", errNoRoom, free>>20, dir, leastRoom>>20)
	}
	return nil
}

// orNoRoom explains err by a full disk where there is hardly any room: SQLite
// then says "disk I/O error (4874)", because its shared memory cannot grow.
func orNoRoom(dir string, err error) error {
	const hardlyAny = 1 << 20
	if free, freeErr := datadir.FreeBytes(dir); freeErr == nil && free < hardlyAny {
		return fmt.Errorf("%w (%s): %w", errNoRoom, dir, err)
	}
	return err
}
