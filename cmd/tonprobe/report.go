package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/probe/host/crash"
	"github.com/tonprobe/tonprobe/probe/report"
)

// report shows what was or would be sent.
func (p *program) report(ctx context.Context, args []string) error {
	f := newFlags("report")
	s := bindSettings(f)
	asJSON := f.Bool("json", false, "")
	export := &exportFlags{}
	f.StringVar(&export.output, "output", "", "")
	f.DurationVar(&export.since, "since", crash.Window, "")
	f.BoolVar(&export.yes, "yes", false, "")
	positional, err := p.parse(f, args, 2)
	if err != nil {
		return err
	}
	if len(positional) == 0 {
		return &usageError{key: "report.no_action"}
	}
	c, err := s.loadForPerson(p.getenv)
	if err != nil {
		return err
	}
	if positional[0] == "mine" && len(positional) == 1 {
		return p.reportMine(ctx, c, *asJSON)
	}
	sp, err := station.OpenReports(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	which := strings.Join(positional[1:], "")
	switch action := positional[0]; {
	case action == "list" && which == "":
		return p.reportList(sp, *asJSON)
	case which != "" && action != "show":
		return &usageError{key: "usage.too_many", args: []any{"argument", which}}
	case action == "show":
		return p.reportShow(sp, which, *asJSON)
	case action == "export" && *asJSON:
		return p.reportLines(sp)
	case action == "export":
		return p.reportExport(ctx, c, sp, export)
	default:
		return &usageError{key: "report.unknown_action", args: []any{"action", action}}
	}
}

// listed is an entry of the list.
type listed struct {
	ID    string    `json:"id"`
	Case  string    `json:"case"`
	Time  time.Time `json:"time"`
	State string    `json:"state"` // waiting, sent, local, quarantine
	// Verdict and Trigger are empty for a report that cannot be read.
	Verdict report.Verdict `json:"verdict"`
	Trigger report.Trigger `json:"trigger"`
	Bytes   int64          `json:"bytes"`
}

// reportList lists the stored reports, and the number of lost and quarantined ones.
func (p *program) reportList(sp station.Reports, asJSON bool) error {
	entries, err := sp.All()
	if err != nil {
		return err
	}
	drops, counts, err := sp.Drops()
	if err != nil {
		return err
	}
	list := make([]listed, 0, len(entries))
	for _, e := range entries {
		list = append(list, listing(sp, e))
	}
	if asJSON {
		return p.printJSON(map[string]any{
			"reports": list, "lost": counts[spool.DropLost], "set_aside": counts[spool.DropQuarantined],
			"drops": append([]spool.Drop{}, drops...),
		})
	}
	p.printList(list, counts)
	return nil
}

func listing(sp station.Reports, e spool.Entry) listed {
	l := listed{ID: e.ID, Time: e.Time, State: stateName(e), Bytes: e.Bytes}
	if doc, err := sp.Read(e); err == nil {
		if r, err := report.Decode(doc); err == nil {
			l.Case, l.Verdict, l.Trigger = r.Case, r.Verdict, r.Trigger
		}
	}
	return l
}

// stateName returns the state of an entry as the JSON list and the keys of the texts name it.
func stateName(e spool.Entry) string {
	if e.State == spool.Waiting {
		return "waiting"
	}
	return string(e.State)
}

func (p *program) printList(list []listed, counts spool.DropCounts) {
	if len(list) == 0 {
		p.say("report.none")
	}
	for _, l := range list {
		code, verdict := l.Case, p.t("report.verdict_"+string(l.Verdict))
		if code == "" {
			code, verdict = l.ID, p.t("report.unreadable")
		}
		fmt.Fprintf(p.out, "%-7s  %s  %s, %s\n", code, l.Time.Local().Format("2006-01-02 15:04"), verdict, p.t("report.state_"+l.State))
	}
	if n := counts[spool.DropLost]; n > 0 {
		p.say("report.lost", "count", n)
	}
	if n := counts[spool.DropQuarantined]; n > 0 {
		p.say("report.set_aside", "count", n)
	}
}

// reportLines prints all readable reports, one JSON document per line.
func (p *program) reportLines(sp station.Reports) error {
	entries, err := sp.All()
	if err != nil {
		return err
	}
	for _, e := range entries {
		doc, err := sp.Read(e)
		if err != nil {
			p.warn("report.skipped", "id", e.ID)
			continue
		}
		if _, err := fmt.Fprintf(p.out, "%s\n", doc); err != nil {
			return err
		}
	}
	return nil
}
