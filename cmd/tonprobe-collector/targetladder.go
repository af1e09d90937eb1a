package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/pion/transport/v4/stdnet"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/diagnose/systemcode"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/target"
)

// Limits of a target test. Each step has limits of its own.
const (
	ladderTime = 40 * time.Second
	lookupTime = 3 * time.Second
)

// tested is the result of a test of a target. It contains no secret, so that it can be sent
// to others.
type tested struct {
	Target string    `json:"target"`
	System string    `json:"system"`
	Made   time.Time `json:"made_at"`
	// Program is the version of this program and its system.
	Program string `json:"program"`
	// Steps are the steps of the API, of its secret, and of the test meeting.
	Steps []target.Step `json:"steps"`
	// Conference contains the steps of a client of the system; nil if its address cannot
	// be used.
	Conference *report.Conference `json:"conference,omitempty"`
	// requests are those of the steps of a client.
	requests []visit.Request
	// ports are those of the target's profile.
	ports diagnose.Ports
}

// failed reports whether a step failed.
func (t tested) failed() bool {
	for _, s := range t.Steps {
		if s.Outcome == target.Failed {
			return true
		}
	}
	return t.Conference != nil && t.Conference.FailedStep != ""
}

// testTarget performs the steps of a test: those of the API, and then those of a client
// of the system, as on a participant's computer. With noCall it creates no test meeting
// and makes no call.
func testTarget(ctx context.Context, t target.Target, ports diagnose.Ports, noCall bool) (tested, error) {
	ctx, cancel := context.WithTimeout(ctx, ladderTime)
	defer cancel()
	out := tested{Target: t.Name, System: t.System, Made: time.Now().UTC().Truncate(time.Second),
		Program: fmt.Sprintf("tonprobe-collector %s, %s/%s", programVersion(), runtime.GOOS, runtime.GOARCH), ports: ports}
	var err error
	if out.Steps, err = target.NewTester(time.Now, rand.Reader).Test(ctx, t); err != nil {
		return out, err
	}
	log := slog.New(slog.DiscardHandler)
	meetings := target.NewMeetings(time.Now, rand.Reader, log)
	defer meetings.Close()
	var mu sync.Mutex
	c := conference.Config{Address: t.URL, System: t.System, NoMedia: noCall, Requested: func(r visit.Request) {
		mu.Lock()
		defer mu.Unlock()
		out.requests = append(out.requests, r)
	}}
	c.Ports.TCP, c.Ports.UDP = ports.Tried()
	if !noCall && !out.failed() {
		if err := out.admit(ctx, t, meetings, &c); err != nil {
			return out, err
		}
	}
	result, err := visitSystem(ctx, c, log)
	if err != nil {
		return out, err
	}
	out.Conference, _ = result.Data.(*report.Conference)
	if noCall {
		out.replaceCode(visit.NoCall, codeNoCall)
	}
	if out.failed() {
		// An agent would have received an invitation.
		out.replaceCode(visit.NeedsLink, visit.StepFailed)
	}
	if c.JoinLink != nil {
		out.Steps = append(out.Steps, timed("end", func() error { return meetings.End(ctx, t.Name) }))
	}
	return out, nil
}

// admit obtains what an agent receives to check the target: a link to a test meeting, or
// tokens for a test room.
func (out *tested) admit(ctx context.Context, t target.Target, meetings *target.Meetings, c *conference.Config) error {
	if t.System != "bbb" {
		w, err := target.Provider{Now: time.Now, Random: rand.Reader}.Ticket(t)
		c.Room, c.Token = w.Room, w.Token
		return err
	}
	if t.Secret == "" {
		return nil
	}
	link := ""
	out.Steps = append(out.Steps, timed("create", func() (err error) {
		link, err = meetings.Link(ctx, t)
		return err
	}))
	if link == "" {
		return nil
	}
	var err error
	if c.JoinLink, err = url.Parse(link); err != nil {
		return fmt.Errorf("the link to the test meeting of %s cannot be used", t.Name) // err quotes it
	}
	return nil
}

// codeNoCall is the code of the steps that were left out on request. The code in a
// background check is "background" instead.
const codeNoCall = "no_call"

func (out *tested) replaceCode(old, code string) {
	if out.Conference == nil {
		return
	}
	for i, c := range out.Conference.Checks {
		if c.Code == old {
			out.Conference.Checks[i].Code = code
		}
	}
}

// timed performs a single step and measures its duration.
func timed(name string, do func() error) target.Step {
	s := target.Step{Name: name, Outcome: target.Good}
	began := time.Now()
	err := do()
	s.MS = time.Since(began).Milliseconds()
	if err != nil {
		s.Outcome, s.Problem = target.Failed, err.Error()
	}
	return s
}

// visitSystem performs the steps of a client of the system.
func visitSystem(ctx context.Context, c conference.Config, log *slog.Logger) (probe.Result, error) {
	n, err := stdnet.NewNet()
	if err != nil {
		return probe.Result{}, fmt.Errorf("list this computer's network interfaces: %w", err)
	}
	env := probe.Env{Clock: probe.SystemClock{}, Rand: rand.Reader, Log: log, Progress: func(probe.Event) {},
		Net: lookup.Net{Net: n, Resolver: lookup.System(), Timeout: lookupTime}}
	p, err := conference.Find(ctx, c, env)
	if err != nil || p == nil {
		return probe.Result{}, err
	}
	return p.Run(ctx, env)
}

// printTested prints a test, and with verbose also the requests and measurements.
func printTested(w io.Writer, t tested, verbose bool) error {
	p := printer{w: w}
	if verbose {
		p.line("%s, %s, system %s", t.Program, t.Made.Format(time.RFC3339), t.System)
	}
	words := map[target.Outcome]string{target.Good: "ok", target.Failed: "FAILED", target.Untested: "not tested"}
	rest := t.first(&p, verbose)
	for _, s := range t.Steps {
		switch {
		case s.Name == "end":
			p.ladder(t, rest, verbose)
		case s.Name == "reach" && len(rest) < t.steps():
			continue // the first step of a client is the same
		}
		p.line("%-11s %s%s%s", s.Name, words[s.Outcome], milliseconds(float64(s.MS)), colon(s.Problem))
		if verbose && s.Request != "" {
			p.line("%-11s %s, %d ms%s", "", s.Request, s.MS, statusText(s.Status))
		}
	}
	if n := len(t.Steps); n == 0 || t.Steps[n-1].Name != "end" {
		p.ladder(t, rest, verbose)
	}
	p.line("\nThis is the path from this machine; what fails may be its firewall. Participants test theirs: tonprobe check --target %s", quoted(t.Target))
	return p.err
}

// printer writes lines to w and keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// steps returns the number of steps of a client.
func (t tested) steps() int {
	if t.Conference == nil {
		return 0
	}
	return len(t.Conference.Checks)
}

// first prints the first step of a client if it is the one of reaching the system, and returns
// the remaining steps.
func (t tested) first(p *printer, verbose bool) []report.ConferenceCheck {
	if t.steps() == 0 {
		return nil
	}
	all := t.Conference.Checks
	if name := all[0].Name; name != report.StepAPI && name != report.StepReach {
		return all
	}
	p.step(t, all[0], verbose)
	for _, s := range t.Steps {
		if s.Name == "reach" && s.Problem != "" {
			p.line("%-11s %s", "", s.Problem)
		}
	}
	return all[1:]
}

// ladder prints the steps of a client.
func (p *printer) ladder(t tested, steps []report.ConferenceCheck, verbose bool) {
	for _, s := range steps {
		p.step(t, s, verbose)
	}
	if t.Conference == nil || !verbose {
		return
	}
	for _, f := range (diagnose.Glossary{}).In(phrase.EN).Figures(report.Result{Name: report.ConferenceGroup + ".bbb", Data: t.Conference}, report.Dashboard) {
		if f.Value != "" {
			p.line("%-11s %s: %s", "", f.Name, f.Value)
		}
	}
}

// step prints a step of a client, and with verbose its requests.
func (p *printer) step(t tested, s report.ConferenceCheck, verbose bool) {
	terms := diagnose.Glossary{}.In(phrase.EN)
	words := map[report.Status]string{report.StatusOK: "ok", report.StatusWarn: "limited", report.StatusFail: "FAILED"}
	word, took, code := words[s.Status], "", ""
	if word == "" {
		word = "not tested"
	}
	if s.MS != nil {
		took = milliseconds(*s.MS)
	}
	if s.Code != "" {
		code = report.CleanText(s.Code)
		if text := meaning(terms, t.System, s.Code); text != "" {
			code += " (" + text + ")"
		}
	}
	if s.Host != "" { // another server than that of the target
		code = strings.TrimSpace(code + " at " + s.Host)
	}
	p.line("%-11s %s%s%s", s.Name, word, took, colon(code))
	if s.Name == report.StepPorts {
		p.ports(t.ports, t.Conference.Ports)
	}
	if !verbose {
		return
	}
	for _, r := range t.requests {
		if r.Step == s.Name {
			p.line("%-11s %s %s, %d ms%s", "", r.Method, r.URL, r.Took.Milliseconds(), statusText(r.Status))
		}
	}
	if s.Name == report.StepRelay {
		p.relays(t.Conference.Relays)
	}
}

// ports prints the published ports and what is known about each, for the administrator of a
// firewall.
func (p *printer) ports(wanted diagnose.Ports, found []report.ConferencePort) {
	p.line("%-11s a firewall must let out TCP %s and UDP %s (%s)", "", strings.Join(wanted.TCP, ", "), strings.Join(wanted.UDP, ", "), wanted.Source)
	for _, port := range found {
		if port.Port != nil {
			p.line("%-11s %s %d: %s", "", strings.ToUpper(port.Protocol), *port.Port, port.Answer)
		}
	}
}

// meaning returns the description of a step's code; "" if there is none.
func meaning(terms diagnose.Terms, system, code string) string {
	if m, ok := systemcode.Lookup(system, code, phrase.EN); ok {
		return m.Text
	}
	if text := terms.Value(code, ""); text != code {
		return text
	}
	return ""
}

// relays prints the result for each relay of the system.
func (p *printer) relays(all []report.TURNRelay) {
	for _, r := range all {
		port := ""
		if r.Port != nil {
			port = fmt.Sprintf(" port %d", *r.Port)
		}
		took := ""
		if r.RTTMS != nil {
			took = milliseconds(*r.RTTMS)
		}
		p.line("%-11s TURN over %s%s: allocated %s, media server permitted %s%s%s", "", r.Transport, port, yesNo(r.Allocated), yesNo(r.Permitted), took, colon(r.Error))
	}
}

func yesNo(b *bool) string {
	switch {
	case b == nil:
		return "not tested"
	case *b:
		return "yes"
	}
	return "no"
}

func milliseconds(ms float64) string { return fmt.Sprintf(", %.0f ms", ms) }

func colon(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}
