package target

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/tonprobe/tonprobe/probe/diagnose"
)

// ProfilesIn returns the directory of a town's own profiles in a data directory.
func ProfilesIn(dataDir string) string { return filepath.Join(dataDir, "profiles") }

// ErrProfiles means that a town's own profile cannot be used.
var ErrProfiles = errors.New("invalid profile")

// ReadProfiles returns the shipped profiles and those in a directory, which may be
// missing unless required is set. The error is an ErrProfiles.
func ReadProfiles(dir string, required bool) (diagnose.Profiles, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && !required {
		return diagnose.Profiles{}, nil
	} else if err != nil {
		return diagnose.Profiles{}, fmt.Errorf("%w: directory of the profiles: %w", ErrProfiles, err)
	}
	all, err := diagnose.ReadProfiles(os.DirFS(dir))
	if err != nil {
		return diagnose.Profiles{}, fmt.Errorf("%w in %s: %w", ErrProfiles, dir, err)
	}
	return all, nil
}

// Profiles contains the profiles of a running collector. A changed directory takes effect
// at the next use; while one of its files cannot be used, all profiles remain as they
// were.
type Profiles struct {
	Dir string

	mu    sync.Mutex
	seen  string // state of the directory when it was read
	known diagnose.Profiles
}

// Current returns the profiles. The error is the reason why a change did not take effect;
// it is returned once for each change.
func (p *Profiles) Current() (diagnose.Profiles, error) {
	if p == nil {
		return diagnose.Profiles{}, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	state := stateOf(p.Dir)
	if state == p.seen {
		return p.known, nil
	}
	p.seen = state
	all, err := ReadProfiles(p.Dir, false)
	if err == nil {
		p.known = all
	}
	return p.known, err
}

// stateOf describes names, sizes and times of the files of a directory; "" if there are
// none.
func stateOf(dir string) string {
	files, err := filepath.Glob(filepath.Join(dir, "*.toml"))
	if err != nil {
		return ""
	}
	var b strings.Builder
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			fmt.Fprintf(&b, "%s %d %d\n", file, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}
