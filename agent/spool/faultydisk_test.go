package spool

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
)

var errPowerCut = errors.New("power cut")

// faultyDisk is a file system that can be full and lose power. Of the changes to a
// folder since its last SyncDir, a random number of the first ones survives a power
// failure, as with a journal.
type faultyDisk struct {
	rng     *rand.Rand
	files   map[string][]byte
	saved   map[string][]byte
	journal []change

	// callsLeft is the number of writing calls until the power failure.
	callsLeft int
	dead      bool
	// full is the probability that a write fails because the disk is full.
	full float64
}

type change struct {
	dirs  []string
	apply func(files map[string][]byte)
}

func newFaultyDisk(rng *rand.Rand) *faultyDisk {
	return &faultyDisk{rng: rng, files: map[string][]byte{}, saved: map[string][]byte{}, callsLeft: 1 << 30}
}

// reboot discards what was not durable.
func (d *faultyDisk) reboot() {
	for _, c := range d.journal[:d.rng.IntN(len(d.journal)+1)] {
		c.apply(d.saved)
	}
	d.files, d.journal, d.dead, d.callsLeft = maps.Clone(d.saved), nil, false, 1<<30
}

// spend counts one call.
func (d *faultyDisk) spend() error {
	if d.callsLeft--; d.callsLeft < 0 {
		d.dead = true
	}
	if d.dead {
		return errPowerCut
	}
	return nil
}

func (d *faultyDisk) do(apply func(map[string][]byte), dirs ...string) {
	apply(d.files)
	d.journal = append(d.journal, change{dirs, apply})
}

func (d *faultyDisk) MkdirAll(string) error { return nil }

func (d *faultyDisk) ReadDir(dir string) ([]File, error) {
	if d.dead {
		return nil, errPowerCut
	}
	var list []File
	for name, data := range d.files {
		if path.Dir(name) == dir {
			list = append(list, File{path.Base(name), int64(len(data))})
		}
	}
	return list, nil
}

func (d *faultyDisk) ReadFile(name string) ([]byte, error) {
	if d.dead {
		return nil, errPowerCut
	}
	data, ok := d.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

func (d *faultyDisk) WriteSync(name string, data []byte) error { return d.write(name, nil, data) }

// AppendSync makes the content durable. The file's name already is, except the
// first time.
func (d *faultyDisk) AppendSync(name string, data []byte) error {
	err := d.write(name, d.files[name], data)
	if err == nil {
		return d.SyncDir(path.Dir(name))
	}
	return err
}

// write leaves a part of data in the file if it fails.
func (d *faultyDisk) write(name string, before, data []byte) error {
	err := d.spend()
	if err == nil && d.rng.Float64() < d.full {
		err = &fs.PathError{Op: "write", Path: name, Err: errDiskFull}
	}
	if err != nil {
		data = data[:d.rng.IntN(len(data))]
	}
	content := slices.Concat(before, data)
	d.do(func(files map[string][]byte) { files[name] = content }, path.Dir(name))
	return err
}

func (d *faultyDisk) Rename(from, to string) error {
	if err := d.spend(); err != nil {
		return err
	}
	if _, ok := d.files[from]; !ok {
		return fs.ErrNotExist
	}
	d.do(func(files map[string][]byte) {
		if data, ok := files[from]; ok {
			files[to] = data
			delete(files, from)
		}
	}, path.Dir(from), path.Dir(to))
	return nil
}

func (d *faultyDisk) Remove(name string) error {
	if err := d.spend(); err != nil {
		return err
	}
	if _, ok := d.files[name]; !ok {
		return fs.ErrNotExist
	}
	d.do(func(files map[string][]byte) { delete(files, name) }, path.Dir(name))
	return nil
}

// SyncDir makes all changes up to the last one in dir durable, as a journal does.
func (d *faultyDisk) SyncDir(dir string) error {
	if err := d.spend(); err != nil {
		return err
	}
	last := -1
	for i, c := range d.journal {
		if slices.Contains(c.dirs, path.Clean(dir)) {
			last = i
		}
	}
	for _, c := range d.journal[:last+1] {
		c.apply(d.saved)
	}
	d.journal = d.journal[last+1:]
	return nil
}

// rot flips a bit of one waiting report and returns the report's id.
func (d *faultyDisk) rot() string {
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		if patternFile.MatchString(name) {
			data := slices.Clone(d.files[name])
			data[d.rng.IntN(len(data))] ^= 1 << d.rng.IntN(8)
			d.files[name], d.saved[name] = data, data
			return strings.SplitN(name, ".", 2)[0]
		}
	}
	return ""
}

// noLock suffices for a single goroutine.
type noLock struct{}

func (noLock) Lock(context.Context, string) (func(), error) { return func() {}, nil }
