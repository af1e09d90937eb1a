package rig

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// Collector is a running collector.
type Collector struct {
	URL      string
	Password string // of the first user; "" unless this start created it

	cmd   *exec.Cmd
	log   *tail
	ended chan struct{} // closed at the end of its output
}

// Serve starts the collector on loopback ports. It uses plain HTTP, as behind a
// proxy, and trusts the forwarded address in a request, so that one machine can
// simulate many clients.
func Serve(ctx context.Context, binary, data string, flags ...string) (*Collector, error) {
	args := append([]string{"serve", "--data", data, "--behind-proxy", "--listen", "127.0.0.1:0", "--stun-listen", "127.0.0.1:0",
		"--media-listen", "127.0.0.1:0", "--metrics-listen", "off", "--log-level", "warn"}, flags...)
	c := &Collector{cmd: exec.CommandContext(ctx, binary, args...), log: &tail{}, ended: make(chan struct{})}
	c.cmd.Stderr = c.log
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the collector: %w", err)
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the collector: %w", err)
	}
	for lines := bufio.NewScanner(out); c.URL == "" && lines.Scan(); {
		if _, password, ok := strings.Cut(lines.Text(), "Password, shown only now:"); ok {
			c.Password = strings.TrimSpace(password)
		}
		if _, url, ok := strings.Cut(lines.Text(), "is ready: "); ok {
			c.URL = url
		}
	}
	go func() { defer close(c.ended); _, _ = io.Copy(io.Discard, out) }()
	if c.URL == "" {
		<-c.ended
		return nil, fmt.Errorf("the collector did not start: %w\n%s", c.cmd.Wait(), c.log)
	}
	return c, nil
}

// PID returns the process id.
func (c *Collector) PID() int { return c.cmd.Process.Pid }

// Log returns the end of the collector's log.
func (c *Collector) Log() string { return c.log.String() }

// Kill kills the collector.
func (c *Collector) Kill() error {
	if err := c.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the collector: %w", err)
	}
	<-c.ended
	_ = c.cmd.Wait() // always an error, because it was killed
	return nil
}

// Stop stops the collector as a service manager does.
func (c *Collector) Stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return errors.Join(fmt.Errorf("stop the collector: %w", err), c.Kill())
	}
	<-c.ended
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("the collector stopped with: %w\n%s", err, c.log)
	}
	return nil
}

// tail keeps the end of a log.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

const tailBytes = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b.Write(p)
	if over := t.b.Len() - tailBytes; over > 0 {
		t.b.Next(over)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}
