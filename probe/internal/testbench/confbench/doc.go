// Package confbench is the test bench of the checks of conference systems. The real agent
// runs `tonprobe check --target …` in a home network of package netbench, over a line
// with known faults, against servers next to the collector: a real Janus, a real LiveKit,
// the real reflector as a WHIP endpoint, the BigBlueButton of package bbbrig, an RTMP
// ingest, and a web server with Zoom's name. Each scenario has a known cause, or none.
//
// It needs Linux, root, janus and livekit-server. Plain go test skips it.
//
//	TONPROBE_TEST_ALL=1 go test ./probe/internal/testbench/confbench           # the subset
//	TONPROBE_BENCH=all go test -v -timeout 60m -run 'Scenarios$' ./probe/internal/testbench/confbench
//	TONPROBE_BENCH=janus-clear,bbb-full go test -v -run 'Scenarios$' ./probe/internal/testbench/confbench
//
// TONPROBE_BENCH_DOCUMENT=file replaces the tables in a document,
// TONPROBE_BENCH_REPORTS=folder keeps the reports there, TONPROBE_BENCH_QUIET=d waits at most
// d for an idle machine before a check (default 20s). Paths are relative to this folder.
package confbench
