// Replaces the content of each packet of a voice stream by a numbered time stamp (probe/media/wire,
// Up), and records the reflector's answers (Down). No sound leaves the device, and both directions
// are measured as the program does it.
"use strict";
const payloadBytes = 80; // a packet of Opus at 32 kbit/s
const longestWaitMS = 500, shortestWaitMS = 250; // for the last answers

const askBefore = 5; // packets before the last one, for an answer in time

let most = 0; // packets to send; 0 before the start
let asked = false; // whether to send more
const sends = [], echoes = [];
const back = new Set();
let slowestMS = 0, ended = false, firstStamp;

// encodedMS returns the time of a packet by the clock of the encoder.
function encodedMS(frame, atMS) {
  const stamp = frame.getMetadata().rtpTimestamp ?? frame.timestamp;
  if (stamp === undefined) return atMS;
  if (firstStamp === undefined) firstStamp = stamp;
  return ((stamp - firstStamp) >>> 0) / 48; // 32 bits, 48 kHz
}

function up(number, atMS) {
  const view = new DataView(new ArrayBuffer(payloadBytes));
  view.setUint16(0, 0x5450); // "TP"
  view.setUint8(2, 1); // version
  view.setUint8(3, 1); // to the reflector
  view.setUint32(4, number);
  view.setBigInt64(8, BigInt(Math.round(atMS * 1e6)));
  return view.buffer;
}

function send(frame, out) {
  if (most === 0 || sends.length >= most || ended) return;
  const at = performance.now();
  frame.data = up(sends.length, at);
  sends.push({encoded_ms: encodedMS(frame, at), sent_ms: at});
  out.enqueue(frame);
  if (!asked && sends.length === most - askBefore) {
    asked = true;
    postMessage({back: sends.map((_, number) => back.has(number) ? "1" : "0").join("")});
  }
  if (sends.length === most) setTimeout(settle, 10);
}

function receive(frame) {
  const at = performance.now();
  const bytes = new Uint8Array(frame.data);
  if (most === 0 || ended || bytes.length < 44 || echoes.length >= 10000) return;
  echoes.push({payload: btoa(String.fromCharCode(...bytes.subarray(0, 44))), arrived_ms: at});
  const number = new DataView(frame.data).getUint32(16);
  if (number < sends.length) {
    back.add(number);
    slowestMS = Math.max(slowestMS, at - sends[number].sent_ms);
  }
}

// settle waits for the last answers. A decision for more packets that comes that late still counts.
function settle() {
  const began = performance.now();
  const until = began + Math.min(Math.max(2 * slowestMS, shortestWaitMS), longestWaitMS);
  const look = () => {
    if (ended || sends.length < most) return;
    if (back.size === sends.length || performance.now() >= until) finish(true);
    else setTimeout(look, 5);
  };
  look();
}

function finish(complete) {
  if (ended) return;
  ended = true;
  postMessage({sends, echoes, payload: payloadBytes, complete,
    waited_ms: performance.now(), all_back: sends.length > 0 && back.size === sends.length});
}

function connect(side, readable, writable) {
  readable.pipeThrough(new TransformStream({
    transform(frame, out) { if (side === "send") send(frame, out); else receive(frame); },
  })).pipeTo(writable).catch(() => {}); // the connection was closed
}

addEventListener("rtctransform", (event) => {
  const t = event.transformer;
  connect(t.options.side, t.readable, t.writable);
});
addEventListener("message", (event) => {
  const m = event.data;
  if (m.side) connect(m.side, m.readable, m.writable); // browsers without RTCRtpScriptTransform
  if (m.packets) most = Math.max(most, m.packets);
  if (m.stop) finish(false);
});
