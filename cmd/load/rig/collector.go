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
	Password string // of the first user; "" unless this start made it

	cmd   *exec.Cmd
	log   *tail
	ended chan struct{} // closed when its output ends
}

// Serve starts the collector on ports of loopback. It speaks plain HTTP, as
// behind a proxy, and believes the address that a request says it is forwarded
// for: one machine can be many strangers.
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

// PID is the process id.
func (c *Collector) PID() int { return c.cmd.Process.Pid }

// Log is the end of what the collector has logged.
func (c *Collector) Log() string { return c.log.String() }

// Kill ends the collector without warning.
func (c *Collector) Kill() error {
	if err := c.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the collector: %w", err)
	}
	<-c.ended
	_ = c.cmd.Wait() // says that it was killed
	return nil
}

// Stop ends the collector as a service manager does.
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

// tail keeps the last part of a log.
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
