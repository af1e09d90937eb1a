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
		return &usageError{key: "usage.bad_since", args: []any{"value", since.String(), "most", longestSince.String()}}
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
	p.printEvents(found)
	return nil
}

func (p *program) printEvents(found *report.HostCrash) {
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
		fmt.Fprintln(p.out, strings.Join(parts, "  "))
	}
	if len(found.Events) == 0 {
		p.say("events.none")
	}
	for _, s := range found.Sources {
		if s.State == "not_permitted" || s.State == "failed" {
			p.say("events.state_"+s.State, "source", p.t("events.source_"+s.Name))
		}
	}
	if slices.Contains(found.Sources, report.HostSource{Name: "recorder", State: "absent"}) {
		p.say("events.no_service")
	} else {
		p.say("events.reported")
	}
	p.say("events.sent")
}
