package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// Program is the agent's program with its own data folder.
type Program struct{ File, Data string }

// Run runs a command of the program and returns its standard output, and on failure
// its standard error as well.
func (p Program) Run(ctx context.Context, args ...string) (string, error) {
	c := p.command(ctx, args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		return out.String(), fmt.Errorf("tonprobe %v: %w\n%s", args, err, &errs)
	}
	return out.String(), nil
}

// Check performs the shortest check, which only tests the connection to the collector.
func (p Program) Check(ctx context.Context) error {
	_, err := p.Run(ctx, "check", "--no-audio", "--only", "network.web")
	return checked(err)
}

// checked returns nil for the exit statuses 0 to 3, which are verdicts.
func checked(err error) error {
	if e, ok := errors.AsType[*exec.ExitError](err); ok && e.ExitCode() >= 0 && e.ExitCode() <= 3 {
		return nil
	}
	return err
}

// Checked is the result of a check.
type Checked struct {
	ID   string
	Text string // text for the person
}

// CheckWithText performs the shortest check and returns its result. The report is read
// from the program's output, so that it is known even if it was not stored.
func (p Program) CheckWithText(ctx context.Context) (Checked, error) {
	c := p.command(ctx, "check", "--no-audio", "--only", "network.web", "--json", "-")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := checked(c.Run()); err != nil {
		return Checked{}, fmt.Errorf("tonprobe check: %w\n%s", err, &errs)
	}
	var r struct{ ID string }
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return Checked{}, fmt.Errorf("tonprobe check: %w", err)
	}
	return Checked{r.ID, errs.String()}, nil
}

func (p Program) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, p.File, args...)
	c.Env = append(os.Environ(), "TONPROBE_DATA="+p.Data, "TONPROBE_LANG=en")
	return c
}

// Enrol adds a participant to the running collector and enrols the program.
func (p Program) Enrol(ctx context.Context, collector, data, url string) (participant string, err error) {
	out, err := exec.CommandContext(ctx, collector, "participant", "add", "Anna", "--json", "--data", data).Output()
	if err != nil {
		return "", fmt.Errorf("participant add: %w", err)
	}
	var invited struct{ Participant, Code string }
	if err := json.Unmarshal(out, &invited); err != nil {
		return "", fmt.Errorf("participant add: %w", err)
	}
	_, err = p.Run(ctx, "enroll", invited.Code, "--server", url)
	return invited.Participant, err
}

// SpooledReport is a report on the agent's disk. Verdict is "" if it cannot be
// read.
type SpooledReport struct{ ID, State, Verdict string }

// Reports lists the reports on the agent's disk.
func (p Program) Reports(ctx context.Context) ([]SpooledReport, error) {
	out, err := p.Run(ctx, "report", "list", "--json")
	if err != nil {
		return nil, err
	}
	var list struct{ Reports []SpooledReport }
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return nil, fmt.Errorf("tonprobe report list: %w", err)
	}
	return list.Reports, nil
}
