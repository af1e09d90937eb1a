package channel

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// InstanceFile contains the instance of the data folder. The processes that use it hold a lock on it.
const InstanceFile = "instance"

const instanceBytes = 12

// Instance returns the instance of a data folder: a random string that is the same for all
// processes that use the folder at the same time, and new whenever the first of them starts. A copy
// of the folder on another machine therefore has an instance of its own, although it contains the
// same file. The instance remains valid until release is called or the process ends.
func Instance(dir string, random io.Reader) (instance string, release func() error, err error) {
	if err := durable.MkdirPrivate(dir); err != nil {
		return "", nil, fmt.Errorf("instance: %w", err)
	}
	f, err := durable.OpenFile(filepath.Join(dir, InstanceFile), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return "", nil, fmt.Errorf("instance: %w", err)
	}
	instance, err = instanceOf(f, random)
	if err != nil {
		_ = f.Close()
		return "", nil, fmt.Errorf("instance: %w", err)
	}
	return instance, f.Close, nil
}

func instanceOf(f *os.File, random io.Reader) (string, error) {
	first, err := durable.LockAlone(f)
	if err != nil {
		return "", err
	}
	if first {
		if err := newInstance(f, random); err != nil {
			return "", err
		}
	}
	if err := durable.LockShared(f); err != nil {
		return "", err
	}
	// Read again after the change of the lock: another process may have written a new instance in
	// between.
	b := make([]byte, 64)
	n, err := f.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return "", err
	}
	instance := strings.TrimSpace(string(b[:n]))
	if instance == "" || !wire.IsInstance(instance) {
		return "", fmt.Errorf("%s has no valid content", InstanceFile)
	}
	return instance, nil
}

func newInstance(f *os.File, random io.Reader) error {
	var b [instanceBytes]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(base64.RawURLEncoding.EncodeToString(b[:])+"\n"), 0)
	return err
}
