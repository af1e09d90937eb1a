// Command tonprobe-browser is the part of the browser check that measures: compiled to
// WebAssembly, it analyses the sound of the microphone on the participant's device, computes the
// figures of the voice stream, diagnoses, and puts the result into words. The page
// (server/web/browser) opens the microphone and the connections.
package main
