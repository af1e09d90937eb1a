// Package resident makes the agent a background service of the system: a thin
// wrapper around kardianos/service, and the work the service does.
package resident

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/kardianos/service"
)

// Name is what the system calls the service.
const Name = "tonprobe"

// StopWithin is how long a stop may take. Windows waits 20 s and systemd 90 s,
// but a person who waits at a prompt does not.
const StopWithin = 10 * time.Second

// ExitFatal is the exit status after a failure that the service cannot get
// over. It is not zero and comes without a clean stop, so that the system's
// recovery starts the service again.
const ExitFatal = 70

// Interactive is false when the system's service manager started this process.
func Interactive() bool { return service.Interactive() }

// Run does work until the system or the person at the keyboard asks for an
// end. A failure of work ends the process with ExitFatal.
func Run(work func(context.Context) error, log *slog.Logger) error {
	p := &program{work: work, log: log, exit: os.Exit}
	s, err := service.New(p, config(nil))
	if err != nil {
		return fmt.Errorf("run as a service: %w", err)
	}
	return s.Run()
}
