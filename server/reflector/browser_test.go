package reflector

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// page makes an offer in a browser; the reflector answers.
const page = `<!doctype html><title>echo</title><script>
window.state = "new";
(async () => {
  const pc = new RTCPeerConnection();
  pc.onconnectionstatechange = () => { window.state = pc.connectionState };
  pc.addTransceiver("audio", {direction: "sendrecv"});
  await pc.setLocalDescription();
  await new Promise(done => { pc.onicegatheringstatechange = () => pc.iceGatheringState == "complete" && done() });
  const answer = await (await fetch("/offer", {method: "POST", body: pc.localDescription.sdp})).text();
  await pc.setRemoteDescription({type: "answer", sdp: answer});
})().catch(e => { window.state = "fault: " + e });
</script>`

// TestChromiumConnects: a browser accepts the answer, finds the path and agrees on
// keys.
func TestChromiumConnects(t *testing.T) {
	chromium := need.Program(t, "chromium")
	r := start(t, func(c *Config) { c.MediaListen, c.STUNListen = ":0", ":0" })
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method != http.MethodPost {
			fmt.Fprint(w, page)
			return
		}
		offer, _ := io.ReadAll(q.Body)
		_, answer, err := r.Offer(q.Context(), "browser", string(offer))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, answer)
	}))
	defer web.Close()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox)...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Navigate(web.URL)); err != nil {
		t.Fatal(err)
	}
	state := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end) && (state == "" || state == "new" || state == "connecting"); time.Sleep(50 * time.Millisecond) {
		var err error
		if state, err = chromedp.Run(ctx, chromedp.Evaluate[string](`window.state`)); err != nil {
			t.Fatal(err)
		}
	}
	if state != "connected" {
		t.Errorf("got state %q, want %q", state, "connected")
	}
}
