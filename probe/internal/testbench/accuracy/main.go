// Command accuracy prints how reliably Tonprobe determines the cause of microphone
// faults, for generated recordings with known faults or for a folder of recordings
// of real voices. docs/accuracy.md explains the figures.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/voices"
)

type options struct {
	profile    string
	recordings string
	mistakes   bool
}

func main() {
	var o options
	flag.StringVar(&o.profile, "profile", diagnose.DefaultProfile, "`name` of the profile of limits")
	flag.StringVar(&o.recordings, "recordings", "", "judge the voices in this `folder` of WAV files instead, as they are and with faults")
	flag.BoolVar(&o.mistakes, "mistakes", false, "print each recording that was misjudged, with its figures")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, w io.Writer) error {
	p, err := diagnose.LoadProfile(o.profile)
	if err != nil {
		return err
	}
	matrix, err := judge(ctx, o, p)
	if err != nil {
		return err
	}
	if err := matrix.Print(w); err != nil || !o.mistakes {
		return err
	}
	fmt.Fprintln(w)
	return matrix.PrintMistakes(w)
}

func judge(ctx context.Context, o options, p diagnose.Profile) (voices.Matrix, error) {
	if o.recordings != "" {
		judged, err := voices.JudgeRecordings(ctx, o.recordings, p)
		return voices.NewMatrix(judged), err
	}
	dir, err := os.MkdirTemp("", "tonprobe-accuracy")
	if err != nil {
		return voices.Matrix{}, fmt.Errorf("create a folder for the voices: %w", err)
	}
	defer os.RemoveAll(dir)
	studio, err := voices.NewStudio(dir)
	if err != nil {
		return voices.Matrix{}, err
	}
	judged, err := voices.Judge(ctx, studio, voices.Fixtures(), p)
	return voices.NewMatrix(judged), err
}
