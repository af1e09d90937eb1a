// Passes the samples of the microphone to the page, mixed to one channel by the browser.
"use strict";
registerProcessor("tonprobe-samples", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(2048); // about 20 messages a second
    this.filled = 0;
  }

  process(inputs) {
    const channel = inputs[0] && inputs[0][0];
    if (!channel) return true; // the microphone has not started, or has ended
    for (let i = 0; i < channel.length; i++) {
      this.block[this.filled++] = channel[i];
      if (this.filled === this.block.length) {
        this.port.postMessage(this.block.buffer, [this.block.buffer]);
        this.block = new Float32Array(2048);
        this.filled = 0;
      }
    }
    return true;
  }
});
