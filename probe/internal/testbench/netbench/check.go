package netbench

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Check is one check of a scenario, together with what really happened.
type Check struct {
	Scenario Scenario
	Report   *report.Report
	Truth    Truth
	Took     time.Duration
	// CPU is the CPU time of the agent's process, user and system.
	CPU time.Duration
}
