package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/datadir"
)

// ErrDamaged means that the file of the targets cannot be parsed.
var ErrDamaged = errors.New("the file of the conference systems is damaged: restore it from a backup, or delete it and add them again")

// format is the version of the layout of the file.
const format = "tonprobe.targets/v1"

type content struct {
	Format  string   `json:"format"`
	Targets []Target `json:"targets"`
}

// File is the file of the targets in a data directory. It is read at each use, so that
// changes of a command take effect while the collector runs.
type File struct{ path string }

// In returns the file in the data directory dir.
func In(dir string) File { return File{datadir.Targets(dir)} }

// List returns the targets sorted by name.
func (f File) List() ([]Target, error) {
	b, err := datadir.ReadSecret(f.path)
	if err != nil {
		return nil, err
	}
	return parse(b)
}

// Add adds a target that Normalize has accepted. The error is ErrExists if its name is
// in use, ignoring case.
func (f File) Add(ctx context.Context, t Target) error {
	return f.change(ctx, func(all []Target) ([]Target, error) {
		switch {
		case indexOf(all, t.Name) >= 0:
			return nil, ErrExists
		case len(all) >= wire.MaxTargets:
			return nil, input("there are already %d targets, the maximum: remove one first", len(all))
		}
		return append(all, t), nil
	})
}

// Remove removes a target by its name, ignoring case. The error is ErrNotFound if there
// is none.
func (f File) Remove(ctx context.Context, name string) error {
	return f.change(ctx, func(all []Target) ([]Target, error) {
		i := indexOf(all, name)
		if i < 0 {
			return nil, ErrNotFound
		}
		return slices.Delete(all, i, i+1), nil
	})
}

// Get returns a target by its name, ignoring case, or ErrNotFound.
func (f File) Get(name string) (Target, error) {
	all, err := f.List()
	if err != nil {
		return Target{}, err
	}
	if i := indexOf(all, name); i >= 0 {
		return all[i], nil
	}
	return Target{}, ErrNotFound
}

func indexOf(all []Target, name string) int {
	return slices.IndexFunc(all, func(t Target) bool { return strings.EqualFold(t.Name, name) })
}

func (f File) change(ctx context.Context, change func([]Target) ([]Target, error)) error {
	return datadir.UpdateSecret(ctx, f.path, func(old []byte) ([]byte, error) {
		all, err := parse(old)
		if err != nil {
			return nil, err
		}
		if all, err = change(all); err != nil {
			return nil, err
		}
		b, err := json.MarshalIndent(content{format, all}, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("write the targets: %w", err)
		}
		return append(b, '\n'), nil
	})
}

func parse(b []byte) ([]Target, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var c content
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, ErrDamaged // its error would quote the file
	}
	if c.Format != format {
		return nil, fmt.Errorf("%w (it has the format %.40q, this program knows %q)", ErrDamaged, c.Format, format)
	}
	for _, t := range c.Targets {
		if t.Hash != "" && hashes()[t.Hash] == nil { // an administrator may have edited the file
			return nil, fmt.Errorf("%w (%.40q has the hash %.40q, which this program does not know)", ErrDamaged, t.Name, t.Hash)
		}
	}
	slices.SortFunc(c.Targets, func(a, b Target) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return c.Targets, nil
}
