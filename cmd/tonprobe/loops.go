package main

import (
	"context"
	"log/slog"
	"math/rand/v2"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe"
)

// servePrograms returns the job that lets the programs of signed-in users use the identity
// and the spool of the service.
func (p *program) servePrograms(c config.Config, screens *local.Screens, recent *resident.RecentLog, log *slog.Logger) func(context.Context) error {
	server := &local.Server{Address: c.Socket, Agent: &station.LocalAgent{Config: c, Version: p.version, Log: log, RecentLog: recent}, Screens: screens, Log: log}
	return server.Run
}

// loops returns the jobs of the background service, whose log is also written to recent.
func (p *program) loops(c config.Config, recent *resident.RecentLog, log *slog.Logger) resident.Loops {
	turn, conditions := station.NewTurn(), station.NewConditions(c, probe.SystemClock{})
	var screens *local.Screens
	if c.Socket != "" {
		screens = local.NewScreens(log)
	}
	loops := resident.Loops{
		Clock: probe.SystemClock{}, Random: rand.Float64, Log: log,
		List: []resident.Loop{
			{Name: "enrolment", Run: station.EnrolLater(c, p.version, probe.SystemClock{}, rand.Float64, log)},
			{Name: "checks", Run: station.Work(c, p.version, turn, conditions, log).Run},
			{Name: "channel", Run: station.Channel(c, p.version, turn, conditions, screens, log)},
			{Name: "reports", Run: station.Resend(c, conditions, probe.SystemClock{}, rand.Float64, log)},
			{Name: "sessions", Run: station.LearnSessions(c, conditions, rand.Float64, log)},
			{Name: "targets", Run: station.Refresh(c, conditions, probe.SystemClock{}, rand.Float64, log)},
			{Name: "flight recorder", Run: station.Recorder(c, p.version, conditions, log).Run},
		},
	}
	// The service of a person shares the folder with the person's program.
	if screens != nil {
		loops.List = append(loops.List, resident.Loop{Name: "programs", Run: p.servePrograms(c, screens, recent, log)})
	}
	return loops
}
