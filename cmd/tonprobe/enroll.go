package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/station"
	"github.com/tonprobe/tonprobe/tui/words"
)

// enroll exchanges a one-time code for a token.
func (p *program) enroll(ctx context.Context, args []string) error {
	f := newFlags("enroll")
	s := bindSettings(f)
	s.text(f, "server", func(c *config.Config) *string { return &c.Server })
	verbose := f.Bool("verbose", false, "")
	positional, err := p.parse(f, args, 1)
	if err != nil {
		return err
	}
	c, err := s.loadForPerson(p.getenv)
	if err != nil {
		return err
	}
	text, err := p.enrolmentText(positional)
	if err != nil {
		return err
	}
	asked, err := enroll.ParseInvitation(text, c.Server)
	if err != nil {
		return err
	}
	return p.enrollAt(ctx, c, asked, *verbose)
}

// maxEnrolmentText is far longer than a code or a link.
const maxEnrolmentText = 4 << 10

// enrolmentText returns the code or the link from the command line or, if it is missing or
// "-", from standard input. Every user of the machine can read a command line.
func (p *program) enrolmentText(positional []string) (string, error) {
	if len(positional) > 0 && positional[0] != "-" {
		return positional[0], nil
	}
	switch {
	case term.IsTerminal(int(p.in.Fd())):
		fmt.Fprint(p.out, p.t("enroll.ask")+" ")
	case len(positional) == 0:
		return "", &usageError{key: "enroll.no_code"}
	}
	line, err := bufio.NewReader(io.LimitReader(p.in, maxEnrolmentText)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the code: %w", err)
	}
	if strings.TrimSpace(line) == "" {
		return "", &usageError{key: "enroll.no_code"}
	}
	return strings.TrimSpace(line), nil
}

// enrollAt enrols or enrols again. The token of an earlier enrolment is replaced only after
// the collector has issued a new one.
func (p *program) enrollAt(ctx context.Context, c config.Config, asked enroll.Invitation, verbose bool) error {
	c.Server = "" // may be another collector than before
	st, how, err := station.Connect(ctx, c, p.logger(verbose))
	if err != nil {
		return err
	}
	p.warnConnection(how)
	if err := st.Enroll(ctx, asked, p.version); err != nil {
		return err
	}
	e := st.Enrolment()
	p.say("enroll.done", "server", e.Server, "participant", words.Clean(e.Participant, 80))
	if st.UsesService() {
		p.say("enroll.service")
	}
	return nil
}
