package visit

import "sync"

// Together runs functions at the same time and waits for all of them. It panics if one of them
// did: on a goroutine of its own, a panic would end the program, whereas the plan recovers one of
// the caller.
func Together(all ...func()) {
	panics := make([]any, len(all))
	var running sync.WaitGroup
	for i, f := range all {
		running.Go(func() {
			defer func() { panics[i] = recover() }()
			f()
		})
	}
	running.Wait()
	for _, p := range panics {
		if p != nil {
			panic(p)
		}
	}
}
