// The check in a browser: opens the microphone and a voice stream, and lets the program
// (cmd/tonprobe-browser) measure and diagnose. See check-worklet.js and check-worker.js.
"use strict";
(() => {
  const root = document.getElementById("check");
  const part = (id) => document.getElementById("check-" + id);
  const text = (key) => part("texts").querySelector(`[data-key="${key}"]`).textContent;
  const lang = document.documentElement.lang;
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

  // --- what is kept on this device ---
  const keptName = "tonprobe.check", unsentName = "tonprobe.unsent", lastName = "tonprobe.last";
  const load = (where, name) => { try { return JSON.parse(where.getItem(name)); } catch { return null; } };
  const save = (where, name, value) => { try { where.setItem(name, JSON.stringify(value)); } catch { /* a private window: the code is needed again */ } };
  let kept = load(localStorage, keptName);
  const match = /^#([0-9A-Za-z-]{8,32})(\/[A-Za-z0-9_-]{43})?$/.exec(location.hash.replace(/%2F/i, "/"));
  let code = match ? match[1] : "";
  if (match) history.replaceState(null, "", location.pathname); // not into bookmarks and shared links

  // --- the collector ---
  class Refused extends Error {
    constructor(status, name) { super(name || String(status)); this.status = status; this.code = name; }
  }

  // call is send. If the token was replaced, by another tab or by a renewal that was cut off, it uses the other
  // token that is stored.
  async function call(method, path, options = {}) {
    const used = kept && kept.token;
    try {
      return await send(method, path, options);
    } catch (e) {
      const stored = load(localStorage, keptName);
      if (options.token !== undefined || !forgotten(e) || !used || !stored || !kept || stored.agent_id !== kept.agent_id) throw e;
      const other = [stored.next, stored.token, kept.token].find((t) => t && t !== used);
      if (!other) throw e;
      const answer = await send(method, path, {...options, token: other});
      kept = {agent_id: kept.agent_id, token: other};
      save(localStorage, keptName, kept);
      return answer;
    }
  }

  // send sends a request. It throws Refused for an error of the collector, and another error if there
  // was no answer.
  async function send(method, path, {body, type = "application/json", token = kept && kept.token, wait = 10000} = {}) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), wait);
    try {
      const headers = {};
      if (token) headers.Authorization = "Bearer " + token;
      if (body !== undefined) headers["Content-Type"] = type;
      const asked = Date.now();
      const r = await fetch(path, {method, headers, body, signal: stop.signal, cache: "no-store", credentials: "omit", redirect: "error"});
      const answered = Date.now();
      const content = await r.text();
      const own = r.headers.get("Tonprobe-Collector") === "1";
      if (!r.ok) {
        let name = "";
        try { name = JSON.parse(content).error.code; } catch { /* a proxy */ }
        const e = new Refused(r.status, own ? name : "");
        e.own = own;
        throw e;
      }
      return {content, own, status: r.status, headers: r.headers, asked, answered};
    } finally {
      clearTimeout(timer);
    }
  }

  const forgotten = (e) => e instanceof Refused && (e.code === "token_invalid" || e.code === "token_replaced" || e.code === "participant_erased");

  async function enrol() {
    const body = JSON.stringify({code, agent_id: "", agent: {version: root.dataset.version, os: system(), arch: "wasm"}});
    const r = await call("POST", "/api/v1/enroll", {body, token: ""});
    const e = JSON.parse(r.content);
    kept = {agent_id: e.agent_id, token: e.token};
    save(localStorage, keptName, kept);
    code = "";
  }

  // isStored reports whether no other tab has replaced or removed a registration.
  function isStored(one) {
    const stored = load(localStorage, keptName);
    return Boolean(one && stored && stored.agent_id === one.agent_id && stored.token === one.token);
  }

  let renewing = Promise.resolve();
  // renew replaces the token as the program does: the present one ends when the next one is used.
  async function renew() {
    const next = JSON.parse((await call("POST", "/api/v1/agent/token")).content).token;
    const former = kept;
    if (!isStored(former)) return;
    save(localStorage, keptName, {...former, next});
    await call("GET", "/api/v1/agent/token", {token: next});
    kept = {agent_id: former.agent_id, token: next};
    if (isStored(former)) save(localStorage, keptName, kept);
  }

  function system() {
    const said = navigator.userAgentData && navigator.userAgentData.platform;
    const known = {Windows: "windows", macOS: "darwin", Linux: "linux", Android: "android", "Chrome OS": "chromeos"};
    if (known[said]) return known[said];
    const agent = navigator.userAgent;
    if (/iPad|iPhone/.test(agent) || (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1)) return "ios";
    for (const [word, name] of [["Android", "android"], ["Windows", "windows"], ["Macintosh", "darwin"], ["CrOS", "chromeos"], ["Linux", "linux"]]) {
      if (agent.includes(word)) return name;
    }
    return "unknown";
  }

  // --- the program ---
  let program;
  function loadProgram() {
    program ||= (async () => {
      const go = new Go();
      const fetched = await fetch(root.dataset.program);
      if (!fetched.ok) throw new Error("the program could not be loaded");
      const {instance} = await WebAssembly.instantiate(await fetched.arrayBuffer(), go.importObject);
      go.run(instance);
    })();
    program.catch(() => { program = undefined; });
    return program;
  }
  const ask = (name, ...args) => {
    const answer = globalThis.tonprobe[name](...args);
    if (answer instanceof Error) throw answer;
    return JSON.parse(answer);
  };

  // --- the microphone ---
  let hidden = false; // the page was in the background during the check
  document.addEventListener("visibilitychange", () => { if (document.hidden) hidden = true; });

  async function openMicrophone() {
    const asking = navigator.mediaDevices.getUserMedia({audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: {ideal: 1}}});
    asking.then(() => part("hint").hidden = true, () => {});
    const slow = setTimeout(() => { part("hint").hidden = false; }, 4000);
    try {
      const first = await Promise.race([asking, sleep(60000)]);
      if (!first) { // the question is still open: what is answered later does not count
        asking.then((late) => late.getTracks().forEach((t) => t.stop()), () => {});
        return {note: "the question for the microphone was not answered"};
      }
      return {stream: first};
    } catch (e) {
      switch (e.name) {
        case "NotAllowedError": case "SecurityError": return {state: "refused"};
        case "NotFoundError": case "OverconstrainedError": return {state: "no_device"};
        case "NotReadableError": case "AbortError": return {state: "in_use"};
      }
      return {note: "the browser did not open the microphone"};
    } finally {
      clearTimeout(slow);
      part("hint").hidden = true;
    }
  }

  // record listens until the program has heard enough. What the device does with its sound says nothing about
  // the microphone: a call or another program takes it, it is stopped in the background, or it has no
  // loudspeaker that would drive it. begun is called with the first samples. The caller stops the stream of the
  // result.
  async function record(context, begun) {
    const opened = await openMicrophone();
    if (!opened.stream) return opened;
    return {...await listen(context, opened.stream, begun), stream: opened.stream};
  }

  const firstLimitMS = 8000, gapLimitMS = 5000; // without samples

  async function listen(context, stream, begun) {
    const track = stream.getAudioTracks()[0];
    let taken = hidden; // the device took the sound away at some time
    let began = 0, heardAt = 0, ended = false, muted = track.muted, frames = 0, over, failed;
    const finished = new Promise((done) => { over = done; });
    track.addEventListener("ended", () => { ended = true; over(); });
    track.addEventListener("mute", () => { muted = true; });
    const running = () => {
      if (context.state === "running") return;
      if (began) taken = true;
      context.resume().catch(() => {});
    };
    context.addEventListener("statechange", running);
    let stalled, node;
    try {
      running(); // the question for the microphone may have stopped it
      ask("listen", context.sampleRate);
      await context.audioWorklet.addModule(root.dataset.worklet);
      node = new AudioWorkletNode(context, "tonprobe-samples", {numberOfInputs: 1, outputChannelCount: [1], channelCount: 1, channelCountMode: "explicit"});
      const source = context.createMediaStreamSource(stream);
      node.port.onmessage = (m) => {
        heardAt = performance.now();
        if (began) frames += m.data.byteLength / 4;
        else { began = heardAt; begun(); } // what was before is not timed: a Bluetooth headset needs seconds to start
        try {
          const now = ask("hear", new Uint8Array(m.data));
          showLevel(now);
          if (now.over) over();
        } catch (e) {
          failed = e;
          over();
        }
      };
      source.connect(node);
      node.connect(context.destination); // silent; without it, some browsers do not run the node
      heardAt = performance.now(); // the time for loading the script does not count
      stalled = setInterval(() => { if (performance.now() - heardAt > (began ? gapLimitMS : firstLimitMS)) { ended = true; over(); } }, 250);
      await finished;
      if (failed) throw failed;
    } catch (e) {
      console.info(e);
      return {note: "the browser did not pass on the sound"};
    } finally {
      clearInterval(stalled);
      if (node) node.port.onmessage = null;
    }
    const lost = ended || muted;
    if (lost && hidden) return {note: "the page was in the background"};
    if (lost && (taken || context.state !== "running")) return {note: "the device interrupted the sound"};
    if (ended) return {state: "stalled"};
    const speed = 1000 * frames / (heardAt - began) / context.sampleRate;
    if (speed < 0.75 || speed > 1.25) return {note: "the browser passed on the sound at a wrong speed"};
    return {state: "complete"};
  }

  function showLevel(now) {
    part("level").value = Math.max(0, now.rms_dbfs + 70);
    const said = text(now.invited ? (now.speech ? "hearing" : "speak") : "quiet");
    if (part("now").textContent !== said) part("now").textContent = said; // a screen reader reads it again
    part("now").classList.toggle("heard", now.speech);
  }

  // --- the voice stream ---
  const iceLimitMS = 8000, keysLimitMS = 4000, stopLimitMS = 1000;
  const streamLimitMS = (packets) => packets * 20 + 4000;

  // transform lets the worker replace the content of the packets. Without it there is no measurement.
  function transform(pc, sender, receiver, worker) {
    if (typeof RTCRtpScriptTransform === "function") {
      sender.transform = new RTCRtpScriptTransform(worker, {side: "send"});
      receiver.transform = new RTCRtpScriptTransform(worker, {side: "receive"});
      return true;
    }
    if (typeof sender.createEncodedStreams !== "function") return false;
    for (const [side, end] of [["send", sender], ["receive", receiver]]) {
      const {readable, writable} = end.createEncodedStreams();
      worker.postMessage({side, readable, writable}, [readable, writable]);
    }
    return true;
  }

  const until = (target, event, holds, ms) => new Promise((done) => {
    const end = (ok) => { target.removeEventListener(event, look); clearTimeout(timer); done(ok); };
    const look = () => { if (holds()) end(true); };
    const timer = setTimeout(() => end(holds()), ms);
    target.addEventListener(event, look);
    look();
  });

  function refusal(e) {
    if (!(e instanceof Refused)) return {failure: "no_signalling", note: "no answer from the collector"};
    if (e.code === "participant_blocked") return {failure: "blocked", note: e.code};
    if (forgotten(e)) return {failure: "unknown_agent", note: e.code};
    if (e.own) return {failure: "server_error", note: e.code || String(e.status)};
    return {failure: "no_signalling", note: "no answer from the collector"};
  }

  // talk sends the stream. Its sound is a tone that nobody hears: the microphone is not part of it.
  async function talk(context, servers, found) {
    const legacy = typeof RTCRtpScriptTransform !== "function";
    const pc = new RTCPeerConnection({iceServers: servers, ...(legacy ? {encodedInsertableStreams: true} : {})});
    const worker = new Worker(root.dataset.worker);
    const broken = new Promise((done) => { worker.onerror = done; }); // it was not loaded, or failed
    const tone = context.createOscillator();
    let resource = "";
    try {
      const out = context.createMediaStreamDestination();
      tone.connect(out);
      tone.start();
      const line = pc.addTransceiver(out.stream.getAudioTracks()[0], {direction: "sendrecv"});
      if (!transform(pc, line.sender, line.receiver, worker)) return {note: "this browser cannot measure a voice stream"};
      pc.addEventListener("icecandidate", (e) => { if (e.candidate && e.candidate.type === "srflx") found.stun = true; });
      await pc.setLocalDescription(await pc.createOffer());
      await until(pc, "icegatheringstatechange", () => pc.iceGatheringState === "complete", 1500);
      let answer;
      try {
        answer = await call("POST", "/api/v1/echo", {body: pc.localDescription.sdp, type: "application/sdp"});
      } catch (e) {
        return refusal(e);
      }
      resource = answer.headers.get("Location");
      const began = performance.now();
      let iceAt = 0, keysAt = 0;
      const watch = () => {
        if (/connected|completed/.test(pc.iceConnectionState)) iceAt ||= performance.now();
        if (pc.connectionState === "connected") keysAt ||= performance.now();
      };
      pc.addEventListener("iceconnectionstatechange", watch);
      pc.addEventListener("connectionstatechange", watch);
      await pc.setRemoteDescription({type: "answer", sdp: answer.content});
      await until(pc, "iceconnectionstatechange", () => { watch(); return iceAt > 0 || pc.iceConnectionState === "failed"; }, iceLimitMS);
      if (iceAt > 0) await until(pc, "connectionstatechange", () => { watch(); return keysAt > 0 || pc.connectionState === "failed"; }, keysLimitMS);
      if (!keysAt) {
        const direct_udp = (await paths(pc)).direct_udp;
        if (hidden) return {failure: "interrupted", note: "the page was in the background"};
        return iceAt ? {failure: "dtls_failed", note: "a path was found, but no keys were agreed", ice_ms: iceAt - began, direct_udp}
          : {failure: "ice_failed", note: "no path for packets was found", direct_udp};
      }
      const session = resource;
      resource = "";
      return await stream(pc, worker, broken, session, {ice_ms: iceAt - began, dtls_ms: Math.max(0, keysAt - iceAt)});
    } finally {
      if (resource) call("DELETE", resource).catch(() => {}); // there was no stream
      tone.stop();
      worker.terminate();
      pc.close();
    }
  }

  async function stream(pc, worker, broken, resource, times) {
    const nothing = () => ({sends: [], echoes: [], payload: 0, complete: false, waited_ms: performance.now(), all_back: false});
    let finished;
    const recorded = new Promise((done) => { finished = done; });
    const giveUp = () => finished(nothing());
    broken.then(giveUp);
    let patience; // for a worker that does not answer
    const stop = () => {
      worker.postMessage({stop: true});
      patience ||= setTimeout(giveUp, stopLimitMS);
    };
    let starved = false, timer;
    const send = (packets) => {
      clearTimeout(timer);
      timer = setTimeout(() => { starved = true; stop(); }, streamLimitMS(packets));
      worker.postMessage({packets});
    };
    worker.onmessage = (m) => {
      if (m.data.back === undefined) finished(m.data);
      else send(ask("packets", m.data.back)); // more, if the loss is in doubt
    };
    const lost = () => { if (/failed|closed/.test(pc.connectionState)) stop(); };
    pc.addEventListener("connectionstatechange", lost);
    send(ask("packets", ""));
    const sent = await recorded;
    clearTimeout(timer);
    clearTimeout(patience);
    const way = await paths(pc);
    let log = null;
    try {
      log = JSON.parse((await call("DELETE", resource, {wait: 3000})).content);
    } catch { /* the echoes alone still give figures */ }
    return {...sent, ...times, ...way, log, stopped: starved || (hidden && !sent.complete)};
  }

  // paths returns the selected path, and whether the media port answered over UDP: some answer to the
  // checks of ICE, or none to at least five.
  async function paths(pc) {
    const all = new Map();
    (await pc.getStats()).forEach((s) => all.set(s.id, s));
    const pairs = [...all.values()].filter((s) => s.type === "candidate-pair");
    let selected;
    for (const s of all.values()) if (s.type === "transport" && s.selectedCandidatePairId) selected = all.get(s.selectedCandidatePairId);
    selected ||= pairs.find((p) => p.selected || (p.nominated && p.state === "succeeded"));
    const local = selected && all.get(selected.localCandidateId);
    const way = {path: "", direct_udp: null};
    if (local) way.path = local.candidateType + " " + (local.candidateType === "relay" && local.relayProtocol || local.protocol);
    let asked = 0, answered = 0;
    for (const p of pairs) {
      const end = all.get(p.localCandidateId);
      if (!end || end.protocol !== "udp" || end.candidateType === "relay") continue;
      asked += p.requestsSent || 0;
      answered += p.responsesReceived || 0;
    }
    if (answered > 0) way.direct_udp = true;
    else if (asked >= 5) way.direct_udp = false;
    return way;
  }

  // --- the check ---
  const views = ["start", "run", "result", "problem"];
  function view(name) {
    for (const v of views) part(v).hidden = v !== name;
  }
  function problem(key) {
    part("problem-text").textContent = text(key);
    view("problem");
    part("problem").focus();
  }

  const wanting = () => !window.isSecureContext || !navigator.mediaDevices || !navigator.mediaDevices.getUserMedia ||
    typeof AudioWorkletNode !== "function" || typeof RTCPeerConnection !== "function" || typeof WebAssembly !== "object";

  // reach asks the collector for the servers of the stream. It also measures that request.
  async function reach(found) {
    const path = "/api/v1/ice";
    try {
      const r = await call("GET", path);
      const entry = performance.getEntriesByName(new URL(path, location.href).href).pop();
      found.web = {reached: r.own, status: r.status, server_time_ms: Number(r.headers.get("Tonprobe-Time-Ms")) || 0, asked_ms: r.asked, answered_ms: r.answered,
        first_byte_ms: entry && entry.requestStart > 0 && entry.responseStart >= entry.requestStart ? entry.responseStart - entry.requestStart : null};
      return JSON.parse(r.content).iceServers || [];
    } catch (e) {
      found.web = e instanceof Refused && e.own ? {reached: true, status: e.status} : {reached: false, offline: navigator.onLine === false};
      throw e;
    }
  }

  async function signIn() {
    await renewing;
    kept = load(localStorage, keptName) || kept; // another tab may have renewed it
    if (kept && kept.next) { // the last renewal was cut off: one of the two is right
      try {
        await call("GET", "/api/v1/agent/token", {token: kept.next});
        kept = {agent_id: kept.agent_id, token: kept.next};
      } catch (e) {
        if (!forgotten(e)) return;
        kept = {agent_id: kept.agent_id, token: kept.token};
      }
      save(localStorage, keptName, kept);
    }
    if (kept && code) { // a new invitation is only used if the old one has ended
      try { await call("GET", "/api/v1/agent/token"); } catch (e) { if (forgotten(e)) kept = null; }
    }
    if (!kept) await enrol();
  }

  async function check() {
    hidden = false;
    let context;
    try {
      context = new AudioContext(); // within the click: browsers demand that
      context.resume().catch(() => {});
    } catch (e) {
      console.info(e);
      problem("failed");
      return;
    }
    part("now").textContent = text("preparing");
    part("level").value = 0;
    view("run");
    part("run").focus();
    let microphone;
    const closeMicrophone = () => { if (microphone) microphone.getTracks().forEach((t) => t.stop()); };
    const lock = navigator.wakeLock && navigator.wakeLock.request("screen").catch(() => null);
    try {
      await signIn();
      await loadProgram();
      const began = performance.now(), started = new Date();
      const found = {stun: false, web: null};
      // A microphone that is opened or closed stops all sound of some browsers for up to two seconds, and with
      // it the stream: that begins after the one, and ends before the other.
      let begun;
      const listening = new Promise((done) => { begun = done; });
      const voice = (async () => {
        try {
          const servers = await reach(found);
          await listening;
          return await talk(context, servers, found);
        } catch (e) {
          return refusal(e);
        }
      })();
      part("now").textContent = text("allow");
      const audio = await record(context, begun);
      begun();
      microphone = audio.stream;
      part("now").textContent = text("line");
      part("now").classList.remove("heard");
      const line = await voice;
      closeMicrophone(); // not earlier: that would interrupt the stream
      const measured = {agent_id: kept.agent_id, version: root.dataset.version, os: system(), started_at: started.toISOString(),
        audio: {state: audio.state || "", note: audio.note || ""}, voice: line, web: found.web, stun: found.stun};
      measured.duration_ms = measured.first_verdict_ms = Math.round(performance.now() - began);
      const report = ask("finish", JSON.stringify(measured));
      save(sessionStorage, lastName, report);
      show(report);
      await deliver(report);
    } catch (e) {
      console.info(e);
      if (e instanceof Refused && e.code === "enroll_code_invalid") { code = ""; needCode("bad_code"); return; }
      if (e instanceof Refused && e.status === 429) problem("later");
      else problem(e instanceof Refused || e instanceof TypeError || e.name === "AbortError" ? "no_server" : "failed");
    } finally {
      closeMicrophone();
      context.close().catch(() => {});
      if (lock) (await lock)?.release();
    }
  }

  // --- the result ---
  function show(report) {
    const s = ask("show", JSON.stringify(report), lang);
    const state = ["ready", "limited", "not_ready"].includes(s.verdict) ? s.verdict : "unknown";
    part("answer").className = "answer is-" + state;
    part("icon").setAttribute("href", "#shape-" + state);
    for (const key of ["headline", "cause", "action", "untested", "more", "case"]) {
      part(key).textContent = s[key];
      part(key).hidden = !s[key];
    }
    const details = part("details");
    details.replaceChildren();
    for (const one of s.sections) {
      const h = document.createElement("h3"), list = document.createElement("ul");
      h.textContent = one.title + (one.state ? ": " + one.state : "");
      for (const line of one.lines || []) {
        const item = document.createElement("li");
        item.textContent = line.trim();
        list.append(item);
      }
      details.append(h, list);
    }
    view("result");
    part("result").focus();
    if (kept) offerDisturbance();
  }

  // deliver sends what has not been sent yet; a report is kept until the collector has stored it.
  async function deliver(report) {
    const unsent = load(localStorage, unsentName) || [];
    if (report) unsent.push(report);
    save(localStorage, unsentName, unsent.slice(-5));
    if (unsent.length === 0) return;
    part("sent").textContent = text("sending");
    try {
      const r = await call("POST", "/api/v1/reports", {body: JSON.stringify({reports: unsent})});
      save(localStorage, unsentName, []); // what was rejected will always be
      const last = JSON.parse(r.content).results.pop();
      part("sent").textContent = text(last.status === "rejected" ? "rejected" : "sent");
      if (r.headers.get("Tonprobe-Renew-Token") === "1") await (renewing = renew().catch(() => {}));
    } catch (e) {
      part("sent").textContent = text(forgotten(e) ? "unknown_browser" : "unsent");
      if (forgotten(e)) forget();
    }
  }

  function forget() {
    if (isStored(kept)) for (const name of [keptName, unsentName]) localStorage.removeItem(name);
    kept = null;
  }

  // --- disturbances ---
  let disturbance = ""; // the id of a report that may not have arrived
  async function offerDisturbance() {
    try {
      const r = await call("GET", "/api/v1/targets");
      part("disturb").hidden = !ask("inSession", r.content, Date.now());
    } catch { /* the button stays hidden */ }
  }
  async function reportDisturbance() {
    disturbance ||= crypto.randomUUID ? crypto.randomUUID() : ([1e7] + -1e3 + -4e3 + -8e3 + -1e11).replace(/[018]/g, (c) => (c ^ crypto.getRandomValues(new Uint8Array(1))[0] & 15 >> c / 4).toString(16));
    part("disturbed").textContent = text("sending");
    try {
      const r = JSON.parse((await call("POST", "/api/v1/disturbances", {body: JSON.stringify({id: disturbance})})).content);
      disturbance = "";
      part("disturbed").textContent = text("disturbed") + " " + new Date(r.at).toLocaleTimeString(lang);
    } catch (e) {
      const known = e instanceof Refused && e.status === 409;
      part("disturbed").textContent = text(known ? "no_session" : "not_disturbed");
      if (known) disturbance = "";
    }
  }

  // --- the start ---
  function needCode(key) {
    part("code-part").hidden = false;
    part("code-problem").textContent = key ? text(key) : "";
    part("code-problem").hidden = !key;
    part("code").setAttribute("aria-invalid", String(Boolean(key)));
    view("start");
    part("code").focus();
  }

  function start() {
    if (!kept && !code) {
      code = part("code").value.trim();
      const link = /#([0-9A-Za-z-]{8,32})/.exec(code); // the whole address was pasted
      if (link) code = link[1];
      if (code.replace(/[^0-9A-Za-z]/g, "").length < 8) { code = ""; needCode("bad_code"); return; }
    }
    check();
  }

  if (wanting()) { problem(window.isSecureContext ? "old_browser" : "insecure"); return; }
  part("form").addEventListener("submit", (e) => { e.preventDefault(); start(); });
  part("again").addEventListener("click", start);
  part("retry").addEventListener("click", () => location.reload());
  part("disturb-button").addEventListener("click", reportDisturbance);
  part("code-part").hidden = Boolean(kept || code);
  view("start");
  loadProgram().then(async () => {
    const last = load(sessionStorage, lastName);
    if (last && !code) show(last); // the language was changed
    if (kept) await deliver();
  }).catch(() => {});
})();
