package check

import (
	"context"
	"sync"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// iceFunc fetches the list of STUN and TURN servers.
type iceFunc func(ctx context.Context) (wire.ICEConfig, error)

// once lets several probes share one request. The request belongs to the
// check, not to the probe that asked first: were it bound to that probe's
// context, the end of one probe would look like a dead server to the other.
func (f iceFunc) once(check context.Context) iceFunc {
	var (
		begin  sync.Once
		done   = make(chan struct{})
		config wire.ICEConfig
		err    error
	)
	fetch := func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(check, iceBudget)
		defer cancel()
		config, err = f(ctx)
	}
	return func(ctx context.Context) (wire.ICEConfig, error) {
		begin.Do(func() { go fetch() })
		select {
		case <-done:
			return config, err
		case <-ctx.Done():
			return wire.ICEConfig{}, ctx.Err()
		}
	}
}
