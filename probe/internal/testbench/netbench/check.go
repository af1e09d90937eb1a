package netbench

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Check is one check of a scenario, with what really happened.
type Check struct {
	Scenario Scenario
	Report   *report.Report
	Truth    Truth
	Took     time.Duration
	// CPU is what the agent's process used, in user and system mode.
	CPU time.Duration
}
