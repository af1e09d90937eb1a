package main

import (
	"log/slog"
	"math/rand/v2"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe"
)

// loops returns the jobs of the background service.
func (p *program) loops(c config.Config, log *slog.Logger) resident.Loops {
	return resident.Loops{
		Clock: probe.SystemClock{}, Random: rand.Float64, Log: log,
		List: []resident.Loop{
			{Name: "checks", Run: station.Work(c, p.version, log).Run},
		},
	}
}
