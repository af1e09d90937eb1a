package pionlog_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/pion/logging"

	"github.com/tonprobe/tonprobe/probe/media/wire/pionlog"
)

func TestEverythingIsLoggedAtDebug(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var factory logging.LoggerFactory = pionlog.To{Log: log}
	l := factory.NewLogger("ice")
	l.Error("one")
	l.Errorf("%s", "two")
	l.Warnf("%s", "three")
	l.Infof("%s", "four")
	l.Trace("five")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("got %d lines, want 4: %s", len(lines), out.String())
	}
	for _, line := range lines {
		if !strings.Contains(line, "level=DEBUG") || !strings.Contains(line, "pion=ice") {
			t.Error(line)
		}
	}
}
