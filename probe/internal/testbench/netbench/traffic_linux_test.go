package netbench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// TestTraffic counts the bytes of a check and the delivery of its report on the line: what the
// background service uses each time, without a microphone. Echo requests to the router do not
// leave the home and are not counted.
func TestTraffic(t *testing.T) {
	need.Minutes(t)
	possible(t)
	w := testWorld(t, programs(t))
	var table strings.Builder
	fmt.Fprintln(&table, "| check with its report | kB up | kB down | packets |")
	fmt.Fprintln(&table, "|---|---|---|---|")
	for _, c := range []struct {
		name   string
		only   string
		mostKB int
	}{
		{"small", strings.Join(check.SmallProbes(), ","), 32},
		{"full", "", 512},
	} {
		truth, err := w.trafficOf(t.Context(), c.only)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var sum [2]int
		for _, p := range truth {
			if p.Protocol == protoUDP || p.Protocol == protoTCP {
				sum[p.Direction] += p.Bytes
			}
		}
		fmt.Fprintf(&table, "| %s | %.1f | %.1f | %d |\n", c.name, float64(sum[Up])/1000, float64(sum[Down])/1000, len(truth))
		if all := sum[Up] + sum[Down]; all == 0 || all > c.mostKB<<10 {
			t.Errorf("%s: got %d bytes, want at most %d KiB", c.name, all, c.mostKB)
		}
	}
	t.Logf("\n%s", table.String())
}

func (w *World) trafficOf(ctx context.Context, only string) (Truth, error) {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	s := Scenario{Name: "traffic", NAT: homeRouter(), Server: both(Line{DelayMS: 6})}
	if err := w.load(ctx, s, 1); err != nil {
		return nil, err
	}
	args := []string{"check", "--plain", "--no-audio", "--yes", "--json", "-"}
	if only != "" {
		args = append(args, "--only", only)
	}
	cmd := w.agent(ctx, collectorPort, w.ca, args...)
	cmd.Env = append(cmd.Env, "PATH="+w.desktopDir()+":"+os.Getenv("PATH"))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	truth := w.Link.Truth()
	if _, err := decode(stdout.Bytes(), err); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return truth, nil
}
