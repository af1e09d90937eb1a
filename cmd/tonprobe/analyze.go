package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/audio/wav"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/words"
)

// analyze measures a WAV file in the same way as a microphone.
func (p *program) analyze(_ context.Context, args []string) error {
	f := newFlags("analyze")
	asJSON := f.Bool("json", false, "")
	profile := f.String("profile", diagnose.DefaultProfile, "")
	positional, err := p.parse(f, args, 1)
	if err != nil {
		return err
	}
	if len(positional) == 0 {
		return &usageError{key: "analyze.no_file"}
	}
	limits, err := diagnose.LoadProfile(*profile)
	if err != nil {
		return err
	}
	data, err := p.analyzeFile(positional[0])
	if err != nil {
		return err
	}
	r := &report.Report{Profile: *profile, Probes: []report.Result{audio.ResultOf(data)}, Causes: []report.Cause{}}
	diagnose.Finish(r, limits)
	if *asJSON {
		err = p.printJSON(analysis{r.Verdict, r.Causes, r.Probes})
	} else {
		err = p.printAnalysis(r)
	}
	if err != nil {
		return err
	}
	return &printedError{statusOf(r.Verdict)}
}

// analysis is the JSON output, with the fields of a report.
type analysis struct {
	Verdict report.Verdict  `json:"verdict"`
	Causes  []report.Cause  `json:"causes"`
	Probes  []report.Result `json:"probes"`
}

// printAnalysis prints the diagnosis, followed by all values.
func (p *program) printAnalysis(r *report.Report) error {
	w, err := words.In(p.lang)
	if err != nil {
		return err
	}
	for _, line := range w.Finding(r) {
		fmt.Fprintln(p.out, line)
	}
	fmt.Fprintln(p.out)
	p.say("analyze.values")
	for _, line := range w.Values(r.Probes[0]) {
		fmt.Fprintln(p.out, line)
	}
	return nil
}

// analyzeFile measures the available part of a truncated file, and reports the truncation.
func (p *program) analyzeFile(path string) (*report.AudioInput, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &usageError{key: "analyze.missing", args: []any{"file", path}}
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := audio.Analyze(file)
	for _, c := range []struct {
		is  error
		key string
	}{
		{wav.ErrTruncated, "analyze.truncated"},
		{wav.ErrNotWAV, "analyze.not_wav"},
		{wav.ErrFormat, "analyze.format"},
		{audio.ErrEmpty, "analyze.empty"},
	} {
		if errors.Is(err, c.is) {
			if data == nil && c.is == wav.ErrTruncated {
				c.key = "analyze.empty" // nothing was left to analyse
			}
			p.warn(c.key, "file", path, "detail", err)
			if data != nil {
				return data, nil
			}
			return nil, &printedError{exitSoftware}
		}
	}
	return data, err
}
