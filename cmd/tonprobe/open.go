package main

import (
	"context"
	"errors"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/tui"
)

// open is what the desktop runs for a link that a person clicked. It asks before it enrols,
// then continues with a check.
//
// Any web page can open a link. On Windows a quote in it ends the argument, and the rest would
// be more arguments; therefore the command has no flags, takes the settings only from the
// configuration, and accepts one argument.
func (p *program) open(ctx context.Context, args []string) error {
	if len(args) == 1 && (args[0] == "-h" || args[0] == "-help" || args[0] == "--help") {
		p.usage("open")
		return nil
	}
	if len(args) == 0 { // the desktop entry was started without a link
		return p.check(ctx, nil)
	}
	if len(args) != 1 {
		return &usageError{key: "open.one_link"}
	}
	asked, err := enroll.ParseInvitation(args[0], "")
	switch {
	case errors.Is(err, enroll.ErrNoServer), errors.Is(err, enroll.ErrCodeForm):
		return enroll.ErrLinkForm
	case err != nil:
		return err
	}
	if _, err := collector.ParseURL(asked.Server); err != nil {
		return err
	}
	if !tui.IsTerminal(p.in) || !tui.IsTerminal(p.out.file) {
		return &usageError{key: "open.no_terminal"}
	}
	p.invitation = &invitation{link: args[0], asked: asked}
	return p.check(ctx, nil)
}

// invitation is the link that opened the program.
type invitation struct {
	link  string
	asked enroll.Invitation
}

// offerInvitation adds the link to the screens. If the computer is set up for the same
// collector, there is nothing to ask: the code may have been used for that.
func (p *program) offerInvitation(o *tui.Options, st *station.Station) {
	if p.invitation == nil {
		return
	}
	host, present := hostOf(p.invitation.asked.Server), st.Recipient()
	if present == host && host != "" {
		o.Notice = p.t("open.already", "server", present)
		return
	}
	o.Invitation = tui.Invitation{Link: p.invitation.link, Host: host, Present: present}
	o.Enrol = enrollAsTyped(st, p.version)
}

// hostOf returns the host and port of a collector's address, in the form of
// [station.Station.Recipient]; "" if the address is wrong, which the enrolment reports.
func hostOf(address string) string {
	u, err := collector.ParseURL(address)
	if err != nil {
		return ""
	}
	return u.Host
}
