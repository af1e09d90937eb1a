package check

import (
	"context"
	"sync"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// iceFunc returns the list of STUN and TURN servers.
type iceFunc func(ctx context.Context) (wire.ICEConfig, error)

// once makes several probes share one request. The request uses the context of the
// check, not that of the probe that asked first: otherwise the end of that probe
// would look like an unreachable server to the others.
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
