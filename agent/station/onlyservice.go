package station

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/probe"
)

// ErrOtherService means that another service uses the same data folder.
var ErrOtherService = errors.New("another service uses the data folder")

// serviceLock is locked while a service uses the data folder.
const serviceLock = "service.lock"

// OnlyService returns ErrOtherService if a service uses the data folder: two would measure everything
// twice, take the channel from each other and record the start of the second one as a restart. The
// programs of people may use the folder at the same time. The operating system ends the lock with the
// process.
func OnlyService(data string) (release func() error, err error) {
	if err := durable.MkdirPrivate(data); err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	f, err := durable.OpenFile(filepath.Join(data, serviceLock), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	alone, err := durable.LockAlone(f)
	if err == nil && !alone {
		err = ErrOtherService
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the data folder: %w", err), f.Close())
	}
	return f.Close, nil
}

// otherEvery is how often a service that waits for another one tries again.
const otherEvery = 5 * time.Second

// WhenOnly returns work that begins as soon as no other service uses the data folder.
func WhenOnly(data string, clock probe.Clock, work func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			release, err := OnlyService(data)
			if err == nil {
				return released(ctx, work, release)
			}
			if !errors.Is(err, ErrOtherService) {
				return err
			}
			if err := clock.Sleep(ctx, otherEvery); err != nil {
				return err
			}
		}
	}
}

// released does the work and then releases the folder, also after a panic, which the program recovers.
func released(ctx context.Context, work func(context.Context) error, release func() error) (err error) {
	defer func() { err = errors.Join(err, release()) }()
	return work(ctx)
}
