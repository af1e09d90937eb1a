package station

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// targetsFile contains the last known conference systems of the collector, without
// credentials, for checks while the collector is unreachable.
const targetsFile = "targets.json"

func (s *Station) targetsPath() string { return filepath.Join(s.Config.Data, targetsFile) }

// knownTargets returns the stored targets; none if there are none, or of another
// version.
func (s *Station) knownTargets() wire.Targets { return readTargets(s.targetsPath()) }

func readTargets(path string) wire.Targets {
	b, err := os.ReadFile(path)
	if err != nil {
		return wire.Targets{}
	}
	t, err := wire.ParseTargets(b)
	if err != nil {
		return wire.Targets{}
	}
	return *t
}

// Release returns the last known announcement of a new version; "" if there is none. It has
// to be verified.
func (s *Station) Release() string {
	if s.service != nil {
		return s.targets.Release
	}
	return s.knownTargets().Release
}

func (s *Station) learnTargets(t wire.Targets) {
	b, err := json.Marshal(t)
	if err != nil {
		return // cannot fail for a struct of strings
	}
	if old, err := os.ReadFile(s.targetsPath()); err == nil && bytes.Equal(old, b) {
		return
	}
	if err := durable.WriteFile(s.targetsPath(), b); err != nil {
		s.log.Warn("the conference systems could not be stored", "err", report.ErrorText(err))
	}
}

// forgetTargets removes the targets of a previous collector.
func (s *Station) forgetTargets() {
	if err := durable.Remove(s.targetsPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("the conference systems of the previous collector could not be removed", "err", report.ErrorText(err))
	}
}
