// Package resident runs the agent as a background service of the system: a thin wrapper
// around kardianos/service, and the work of the service.
package resident

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/kardianos/service"
)

// Name is the name of the service.
const Name = "tonprobe"

// StopWithin limits a stop. Windows waits 20 s and systemd 90 s, but a person at a
// prompt does not.
const StopWithin = 10 * time.Second

// ExitFatal is the exit status after a failure that the service cannot overcome. A status
// other than zero makes the service manager restart the service.
const ExitFatal = 70

// ExitUnusable is the exit status if the service cannot start until a person mends something. systemd does not
// restart the service then. It is EX_CONFIG of BSD's sysexits.h.
const ExitUnusable = 78

// Interactive reports whether this process was not started by the service manager.
func Interactive() bool { return service.Interactive() }

// Run performs work until the system or the person requests a stop. A failure of work
// ends the process with ExitFatal.
func Run(work func(context.Context) error, log *slog.Logger) error {
	p := &program{work: work, log: log, exit: os.Exit}
	s, err := service.New(p, Setup{}.config())
	if err != nil {
		return fmt.Errorf("run as a service: %w", err)
	}
	return s.Run()
}
