package watch

import (
	"context"

	"github.com/tonprobe/tonprobe/probe/host/load"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
)

// ReadSparing reads from the system whether the line is metered and whether the computer saves power,
// without watchers. Unknown counts as no.
func ReadSparing(ctx context.Context) (metered, saving bool) {
	return isTrue(linkstate.Metered(ctx)), isTrue(load.NewObserver().Supply(ctx).Saving)
}
