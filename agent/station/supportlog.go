package station

import (
	"context"
	"path/filepath"

	"github.com/tonprobe/tonprobe/agent/bundle"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/resident"
)

// LogLines implements local.Agent.
func (a *LocalAgent) LogLines() []string {
	if a.RecentLog == nil {
		return []string{}
	}
	return bundle.RedactLog(a.RecentLog.Lines(), nil)
}

// ReadLog returns the last lines of the service's log: from the service if it answers, and
// otherwise from the log file in the data folder. The lines still have to be redacted.
func ReadLog(ctx context.Context, c config.Config) ([]string, error) {
	if c.Socket != "" {
		if lines, err := local.NewClient(c.Socket).Log(ctx); err == nil {
			return lines, nil
		}
	}
	return resident.ReadLog(filepath.Join(c.Data, resident.LogFolder))
}
