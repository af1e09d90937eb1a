package main

import (
	"context"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server"
)

func TestWrongClock(t *testing.T) {
	ahead := func() time.Time { return time.Now().Add(10 * time.Minute) }
	_, a := startPair(t, server.Config{Now: ahead})
	_, primary := judge(t, a)
	if primary.Code != "net.clock_wrong" || primary.Confidence <= 0.5 {
		t.Errorf("got primary cause %+v, want net.clock_wrong", primary)
	}
}

// TestSilentCollector checks that the verdict attributes the problem to the collector
// only.
func TestSilentCollector(t *testing.T) {
	c, a := startPair(t, server.Config{})
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	r, primary := judge(t, a)
	if primary.Code != "conf.server_down" || primary.Confidence <= 0.5 {
		t.Errorf("got primary cause %+v, want conf.server_down", primary)
	}
	if r.Verdict != report.Unknown {
		t.Errorf("got verdict %s, want unknown, because the participant's line was not measured", r.Verdict)
	}
	if primary.Area == report.AreaParticipant {
		t.Error("the area is the participant although our own server is silent")
	}
}

// startPair returns a collector and an enrolled participant.
func startPair(t *testing.T, c server.Config) (*collector, *enrolled) {
	t.Helper()
	dir := t.TempDir()
	col, err := startCollectorWith(t.Context(), dir, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(col.cancel)
	a, err := enrol(t.Context(), col, dir)
	if err != nil {
		t.Fatal(err)
	}
	return col, a
}

// judge performs one check without a microphone and returns its report and primary cause.
func judge(t *testing.T, a *enrolled) (*report.Report, report.Cause) {
	t.Helper()
	need.Full(t, "whole checks")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := check.Run(ctx, check.Options{NoAudio: true, AgentID: a.id, Collector: &a.endpoint, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	primary, _ := r.Primary()
	return r, primary
}
