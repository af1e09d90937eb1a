package browser_test

import (
	"os"
	"testing"

	"github.com/dop251/goja"
)

// aroundWorker stands in for what a browser gives the worker. Its clock advances by step.
const aroundWorker = `
let nowMS = 0, sendFrame, receiveFrame, timers = [], posted = [];
const handlers = {};
const performance = {now: () => nowMS};
const addEventListener = (name, f) => { handlers[name] = f; };
const postMessage = (m) => posted.push(m);
const setTimeout = (f, ms) => { timers.push({f, at: nowMS + ms}); };
const btoa = (s) => s;
function TransformStream(o) { this.o = o; }
function connectSide(side, keep) {
  const readable = {pipeThrough(t) { keep((frame) => t.o.transform(frame, {enqueue() {}})); return {pipeTo() { return {catch() {}}; }}; }};
  handlers.rtctransform({transformer: {options: {side}, readable, writable: {}}});
}
function step(ms) {
  nowMS += ms;
  const due = timers.filter((t) => t.at <= nowMS);
  timers = timers.filter((t) => t.at > nowMS);
  for (const t of due) t.f();
}
// flow sends count packets, of which each lost-th is lost. Echoes return at once.
function flow(count, lost) {
  for (let i = 0; i < count; i++) {
    const frame = {timestamp: Math.round(nowMS * 48), getMetadata: () => ({})};
    sendFrame(frame);
    if (frame.data && !(lost && i % lost === 0)) {
      const number = new DataView(frame.data).getUint32(4), echo = new DataView(new ArrayBuffer(44));
      echo.setUint32(16, number);
      receiveFrame({data: echo.buffer});
    }
    step(20);
  }
}
`

func newWorker(t *testing.T) *goja.Runtime {
	t.Helper()
	script, err := os.ReadFile("../static/check-worker.js")
	if err != nil {
		t.Fatal(err)
	}
	vm := goja.New()
	for _, source := range []string{aroundWorker, string(script),
		`connectSide("send", (f) => { sendFrame = f; }); connectSide("receive", (f) => { receiveFrame = f; });`} {
		if _, err := vm.RunString(source); err != nil {
			t.Fatal(err)
		}
	}
	return vm
}

// TestWorkerExtendsStream: the worker asks before the end of the stream whether to send more, and obeys an
// answer that comes in time or while it waits for the last echoes.
func TestWorkerExtendsStream(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		sent   int64
	}{
		"no loss":  {`handlers.message({data: {packets: 300}}); flow(296, 0); handlers.message({data: {packets: 300}}); flow(40, 0);`, 300},
		"in time":  {`handlers.message({data: {packets: 300}}); flow(296, 20); handlers.message({data: {packets: 450}}); flow(200, 20);`, 450},
		"late":     {`handlers.message({data: {packets: 300}}); flow(305, 20); handlers.message({data: {packets: 450}}); flow(200, 20);`, 450},
		"too late": {`handlers.message({data: {packets: 300}}); flow(350, 20); handlers.message({data: {packets: 450}}); flow(200, 20);`, 300},
	} {
		vm := newWorker(t)
		got, err := vm.RunString(c.script + ` step(1000); step(1000);
			if (posted.length !== 2 || posted[0].back.length !== 295) throw new Error(JSON.stringify(posted));
			if (!posted[1].complete) throw new Error("incomplete");
			posted[1].sends.length`)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.ToInteger() != c.sent {
			t.Errorf("%s: got %v packets, want %d", name, got, c.sent)
		}
	}
}
