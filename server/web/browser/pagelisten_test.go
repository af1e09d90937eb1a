package browser_test

import "testing"

// listenInPage opens the recording, with a track that is not muted.
const listenInPage = `
const track = {muted: false, addEventListener() {}};
inside("listen")(new AudioContext(), {getAudioTracks: () => [track]}, () => {}).then(keep, keep);`

// TestRecordingEndsOnError: an error of the program ends the recording.
func TestRecordingEndsOnError(t *testing.T) {
	vm := newPage(t)
	runPage(t, vm, listenInPage,
		`tonprobe.hear = () => new Error("x");`,
		`try { node.port.onmessage({data: new ArrayBuffer(8)}); } catch {}`)
	wantInPage(t, vm, `result`, `{"note":"the browser did not pass on the sound"}`)
}

// TestSlowWorklet: the time for loading the worklet does not count as time without samples.
func TestSlowWorklet(t *testing.T) {
	vm := newPage(t)
	runPage(t, vm, `loading = () => new Promise((done) => setTimeout(done, 9000));`+listenInPage,
		`step(9000);`, `step(1000);`,
		`tonprobe.hear = () => '{"over": true}'; node.port.onmessage({data: new ArrayBuffer(8)});`)
	wantInPage(t, vm, `result`, `{"state":"complete"}`)
}

// TestLevelIsSaidOnce: a screen reader reads each assignment to what the page says now.
func TestLevelIsSaidOnce(t *testing.T) {
	vm := newPage(t)
	runPage(t, vm, `
		let said = 0, words = "";
		Object.defineProperty(element("check-now"), "textContent", {get: () => words, set(w) { said++; words = w; }});
		for (const speech of [false, false, true, true]) inside("showLevel")({rms_dbfs: -30, invited: true, speech});`)
	wantInPage(t, vm, `said`, `2`)
}
