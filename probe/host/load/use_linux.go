package load

import (
	"context"

	"github.com/tonprobe/tonprobe/probe/host/procfile"
)

// headBytes contains the first lines of /proc/stat and /proc/meminfo.
const headBytes = 256

func (system) times(context.Context) (times, error) {
	text, err := procfile.Read("/proc/stat", headBytes)
	if err != nil {
		return times{}, err
	}
	return parseTimes(text)
}

func (system) memoryFreeMB(context.Context) *float64 {
	text, err := procfile.Read("/proc/meminfo", headBytes)
	if err != nil {
		return nil
	}
	return parseMemoryFreeMB(text)
}
