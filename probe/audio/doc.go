// Package audio measures the microphone: the probe audio.input, the list of
// devices, and the same analysis over a WAV file.
//
// Recording happens in a child process (package capture), the arithmetic in
// package signal, and what the operating system says of its devices comes from
// package osstate. Nothing here writes sound anywhere: samples go through the
// analyzer and are gone.
package audio
