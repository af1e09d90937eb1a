package station

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/tonprobe/tonprobe/agent/channel"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/recorder"
	"github.com/tonprobe/tonprobe/agent/resident"
)

// dataEntry is what the agent creates in its data folder, or an administrator for it.
type dataEntry struct {
	name   string
	folder bool
	// proof means that the name identifies a data folder of this program. The other names are common:
	// /var also contains a spool and a log.
	proof bool
}

func dataEntries() []dataEntry {
	return []dataEntry{
		{name: identity.FileName, proof: true}, {name: identity.LockName, proof: true}, {name: config.FileName, proof: true}, {name: targetsFile, proof: true},
		{name: allowFile}, {name: enroll.LaterFile}, {name: enroll.LaterLock}, {name: channel.InstanceFile}, {name: scheduleFile}, {name: tokenLock}, {name: serviceLock},
		{name: spoolFolder, folder: true}, {name: recorder.Folder, folder: true}, {name: resident.LogFolder, folder: true},
	}
}

// MayOwn reports whether the service may become the owner of a folder and everything in it: the folder
// is missing or empty, or it is a data folder of this program and contains nothing else.
func MayOwn(dir string) bool {
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) { // without permission the installation fails anyway
		return true
	}
	if err != nil {
		return false
	}
	proven := len(found) == 0
	for _, f := range found {
		if temporary, _ := filepath.Match(durable.TempPattern, f.Name()); temporary && f.Type().IsRegular() {
			continue
		}
		known := dataEntries()
		i := slices.IndexFunc(known, func(e dataEntry) bool { return e.name == f.Name() })
		// A link counts as neither a folder nor a file.
		if i < 0 || f.IsDir() != known[i].folder || !f.IsDir() && !f.Type().IsRegular() {
			return false
		}
		proven = proven || known[i].proof
	}
	return proven
}
