package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/host/crash"
	"github.com/tonprobe/tonprobe/probe/report"
)

// longestSince limits how far back events can be requested. Logs and crash folders
// rarely reach further.
const longestSince = 31 * 24 * time.Hour

// events prints the crashes and stalls that the system and the service recorded.
func (p *program) events(ctx context.Context, args []string) error {
	f := newFlags("events")
	s := bindSettings(f)
	asJSON := f.Bool("json", false, "")
	since := f.Duration("since", crash.Window, "")
	if _, err := p.parse(f, args, 0); err != nil {
		return err
	}
	if *since <= 0 || *since > longestSince {
		return badSince(*since)
	}
	c, err := s.loadForPerson(p.getenv)
	if err != nil {
		return err
	}
	now := time.Now()
	found := crash.Read(ctx, station.OpenRecords(c).Events, now.Add(-*since), now)
	if *asJSON {
		return p.printJSON(found)
	}
	for _, line := range p.eventLines(found) {
		fmt.Fprintln(p.out, line)
	}
	return nil
}

// eventLines returns the events in words. Further lines state which sources could not be read,
// and what is sent.
func (p *program) eventLines(found *report.HostCrash) (lines []string) {
	say := func(key string, args ...any) { lines = append(lines, p.t(key, args...)) }
	terms := diagnose.Glossary{}.In(p.lang)
	for _, e := range found.Events {
		parts := []string{terms.Value(e.At.UTC().Format(time.RFC3339), ""), terms.Value(string(e.Kind), "")}
		if e.DurationS != nil {
			parts = append(parts, diagnose.DurationText(*e.DurationS, p.lang))
		}
		for _, part := range []string{e.Program, terms.Value(e.Detail, "")} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		lines = append(lines, strings.Join(parts, "  "))
	}
	if len(found.Events) == 0 {
		say("events.none")
	}
	for _, s := range found.Sources {
		if s.State == "not_permitted" || s.State == "failed" {
			say("events.state_"+s.State, "source", p.t("events.source_"+s.Name))
		}
	}
	if slices.Contains(found.Sources, report.HostSource{Name: "recorder", State: "absent"}) {
		say("events.no_service")
	} else {
		say("events.reported")
	}
	say("events.sent")
	return lines
}
