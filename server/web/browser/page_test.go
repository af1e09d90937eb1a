package browser_test

import (
	"os"
	"strings"
	"testing"

	"github.com/dop251/goja"
)

// aroundPage stands in for what a browser gives the page of the check. Its clock advances by step. inside runs
// code within the script.
const aroundPage = `
let nowMS = 1000, timers = [], lastTimer = 0;
const performance = {now: () => nowMS}, console = {info() {}}, navigator = {userAgent: ""}, history = {}, location = {hash: "", pathname: "/check"};
const elements = {};
function element(id) {
  return elements[id] ||= {dataset: {}, hidden: false, textContent: "", classList: {toggle() {}, remove() {}},
    focus() {}, addEventListener() {}, querySelector: (q) => ({textContent: q})};
}
const document = {hidden: false, getElementById: element, documentElement: {lang: "de"}, addEventListener() {}};
function storage() {
  const all = {};
  return {getItem: (n) => all[n] ?? null, setItem(n, v) { all[n] = v; }, removeItem(n) { delete all[n]; }};
}
const localStorage = storage(), sessionStorage = storage();
function setTimeout(f, ms, every) { timers.push({id: ++lastTimer, f, at: nowMS + ms, every}); return lastTimer; }
function setInterval(f, ms) { return setTimeout(f, ms, ms); }
function clearTimeout(id) { timers = timers.filter((t) => t.id !== id); }
const clearInterval = clearTimeout;
function step(ms) {
  nowMS += ms;
  for (const t of timers.filter((t) => t.at <= nowMS)) {
    if (!timers.includes(t)) continue;
    if (t.every) t.at += t.every; else clearTimeout(t.id);
    t.f();
  }
}
class AbortController { abort() {} }
let answer = () => "{}"; // of the collector
async function fetch(path, o) {
  const content = answer(o.method, path, o.headers);
  return {ok: true, status: 200, headers: {get: () => "1"}, text: async () => content};
}
class Listened { addEventListener() {} removeEventListener() {} connect() {} start() {} stop() {} }
class AudioContext extends Listened {
  state = "running"; sampleRate = 48000; audioWorklet = {addModule: (name) => loading(name)};
  async resume() {}
  async close() {}
  createOscillator() { return new Listened(); }
  createMediaStreamSource() { return new Listened(); }
  createMediaStreamDestination() { return {stream: {getAudioTracks: () => [{}]}}; }
}
let loading = async () => {}; // of the worklet
let node;
class AudioWorkletNode extends Listened { port = {}; constructor() { super(); node = this; } }
let worker;
class Worker { constructor() { worker = this; } postMessage() {} terminate() {} }
class RTCRtpScriptTransform {}
let connection;
class RTCPeerConnection {
  iceGatheringState = "complete"; iceConnectionState = "connected"; connectionState = "connected"; localDescription = {sdp: ""};
  heard = [];
  constructor() { connection = this; }
  addEventListener(name, f) { this.heard.push(f); }
  removeEventListener(name, f) { this.heard = this.heard.filter((h) => h !== f); }
  addTransceiver() { return {sender: {}, receiver: {}}; }
  async createOffer() {}
  async setLocalDescription() {}
  async setRemoteDescription() {}
  async getStats() { return new Map(); }
  close() {}
}
globalThis.tonprobe = {packets: () => "300", listen: () => "{}", finish: () => "{}"};
let result;
const keep = (r) => { result = r; };
`

// newPage returns the page's script with its surroundings, before the page begins.
func newPage(t *testing.T) *goja.Runtime {
	t.Helper()
	file, err := os.ReadFile("../static/check.js")
	if err != nil {
		t.Fatal(err)
	}
	const begins = "  if (wanting()) {"
	before, _, ok := strings.Cut(string(file), begins)
	if !ok {
		t.Fatalf("the script has no %q", begins)
	}
	vm := goja.New()
	for _, source := range []string{aroundPage, before + "globalThis.inside = (code) => eval(code);\n})();"} {
		if _, err := vm.RunString(source); err != nil {
			t.Fatal(err)
		}
	}
	return vm
}

// runPage runs one script after the other, and after each the promise jobs that it has queued.
func runPage(t *testing.T, vm *goja.Runtime, scripts ...string) {
	t.Helper()
	for _, script := range scripts {
		if _, err := vm.RunString(script); err != nil {
			t.Fatalf("%s: %v", script, err)
		}
	}
}

// wantInPage compares the value of an expression.
func wantInPage(t *testing.T, vm *goja.Runtime, expression, want string) {
	t.Helper()
	if got, err := vm.RunString(`JSON.stringify(` + expression + `)`); err != nil || got.String() != want {
		t.Errorf("%s: got %v, error %v; want %s", expression, got, err, want)
	}
}
