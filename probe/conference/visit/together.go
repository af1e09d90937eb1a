package visit

import (
	"github.com/tonprobe/tonprobe/probe/guard"
)

// Together runs functions concurrently and waits for all of them. It panics if one of them did.
func Together(all ...func()) {
	var running guard.Group
	for _, f := range all {
		running.Go(f)
	}
	running.Wait()
}
