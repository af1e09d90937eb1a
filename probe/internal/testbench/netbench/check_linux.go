package netbench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// checkLimit is far more than a check may take; after it, the check counts as
// hanging.
const checkLimit = 2 * time.Minute

// Check runs the real agent in a scenario.
// Further options of the check may follow.
func (w *World) Check(ctx context.Context, s Scenario, seed uint64, more ...string) (Check, error) {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	if err := w.load(ctx, s, seed); err != nil {
		return Check{}, err
	}
	cmd := w.checkCommand(ctx, s, more)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	pulled := w.cutInterface(ctx, s)
	began := time.Now()
	err := cmd.Run()
	c := Check{Scenario: s, Truth: w.Link.Truth(), Took: time.Since(began)}
	cancel()
	if pullErr := <-pulled; pullErr != nil {
		return c, pullErr
	}
	if cmd.ProcessState != nil {
		c.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	// The exit status is the verdict, so an error is ignored if there is a report.
	if c.Report, err = decode(stdout.Bytes(), err); err != nil {
		return c, fmt.Errorf("check in %s: %w: %s", s.Name, err, strings.TrimSpace(stderr.String()))
	}
	return c, nil
}

func (w *World) checkCommand(ctx context.Context, s Scenario, more []string) *exec.Cmd {
	ca := w.ca
	if s.Inspection != nil && s.Inspection.Trusted {
		ca = w.caAndBox
	}
	args := append([]string{"check", "--plain", "--no-audio", "--yes", "--no-upload", "--json", "-"}, more...)
	if s.Home.Load {
		args = append(args, "--load")
	}
	if s.Home.LifetimeS > 0 {
		args = append(args, fmt.Sprintf("--binding-lifetime=%gs", s.Home.LifetimeS))
	}
	cmd := w.agent(ctx, s.Collector.public(), ca, args...)
	cmd.Env = append(cmd.Env, "PATH="+w.desktopDir()+":"+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, s.Proxy.environment(planOf(s).gateway)...)
	return cmd
}

// cutInterface disables the home's interface and enables it again according to the
// scenario. The channel receives the result when ctx is done at the latest.
func (w *World) cutInterface(ctx context.Context, s Scenario) <-chan error {
	done := make(chan error, 1)
	began := time.Now()
	wait := func(second float64) bool {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Until(began.Add(time.Duration(second * float64(time.Second))))):
			return true
		}
	}
	go func() {
		p := planOf(s)
		// A change in progress is completed: a partially configured interface would
		// affect the next scenario.
		whole := context.WithoutCancel(ctx)
		switch {
		case s.Home.DownAtS == 0 || !wait(s.Home.DownAtS):
			done <- nil
		default:
			err := w.ns.pull(whole, atHome)
			if err == nil && s.Home.UpAtS > 0 && wait(s.Home.UpAtS) {
				err = w.ns.plug(whole, atHome, p.gateway, p.all...)
			}
			done <- err
		}
	}()
	return done
}

func decode(b []byte, runErr error) (*report.Report, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("no report: %w", runErr)
	}
	return report.Decode(b)
}
