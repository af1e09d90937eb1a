package visit

import "sync"

// Together runs functions concurrently and waits for all of them. It panics if one of them did:
// a panic in a separate goroutine would end the program, whereas the plan recovers a panic of
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
