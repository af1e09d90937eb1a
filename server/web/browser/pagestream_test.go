package browser_test

import "testing"

// TestStreamWithoutWorker: the stream ends if its worker is not loaded, hangs, or does not answer when the
// connection is lost.
func TestStreamWithoutWorker(t *testing.T) {
	for name, steps := range map[string][]string{
		"not loaded":      {`worker.onerror({});`},
		"hung":            {`step(10001);`, `step(1001);`},
		"connection lost": {`connection.connectionState = "failed"; for (const f of connection.heard) f({});`, `step(1001);`},
	} {
		t.Run(name, func(t *testing.T) {
			vm := newPage(t)
			runPage(t, vm, `inside("talk")(new AudioContext(), [], {}).then(keep, keep);`)
			wantInPage(t, vm, `result === undefined`, `true`)
			runPage(t, vm, steps...)
			wantInPage(t, vm, `result && [result.sends, result.complete, result.ice_ms]`, `[[],false,0]`)
		})
	}
}
