package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/tui/words"
)

// enrollTime bounds the one request; a person waits for it.
const enrollTime = 20 * time.Second

// enroll trades a one-time code for the right to use a collector.
func (p *program) enroll(ctx context.Context, args []string) error {
	f := newFlags("enroll")
	s := bindSettings(f)
	s.text(f, "server", func(c *config.Config) *string { return &c.Server })
	verbose := f.Bool("verbose", false, "")
	positional, err := p.parse(f, args, 1)
	if err != nil {
		return err
	}
	c, err := s.load(p.getenv)
	if err != nil {
		return err
	}
	text, err := p.enrolmentText(positional)
	if err != nil {
		return err
	}
	asked, err := readInvitation(text, c.Server)
	if err != nil {
		return err
	}
	return p.enrollAt(ctx, c, asked, *verbose)
}

// maxEnrolmentText is far above a code or a link.
const maxEnrolmentText = 4 << 10

// enrolmentText is the code or the link: from the command line, or, where it is
// missing or "-", from standard input. What stands on a command line can be read
// by every user of the machine.
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

// readInvitation reads a link, or a code for the collector at server. The link
// names its collector; another one named beside it is a mistake.
func readInvitation(text, server string) (i invitation, err error) {
	if !wire.IsInvitation(text) {
		if _, err := enroll.NormalizeCode(text); err != nil {
			return i, &usageError{key: "enroll.code_form"}
		}
		if server == "" {
			return i, &usageError{key: "enroll.no_server"}
		}
		return invitation{server: server, code: text}, nil
	}
	link, err := wire.ParseInvitation(text)
	if err != nil {
		return i, &usageError{key: "enroll.link_form"}
	}
	if _, err := enroll.NormalizeCode(link.Code); err != nil {
		return i, &usageError{key: "enroll.link_form"}
	}
	i = invitation{server: link.Origin(), code: link.Code}
	if link.AuthorityPin != "" {
		i.pins = &trust.Pins{CA: []string{link.AuthorityPin}}
	}
	return i, nil
}

// invitation is what a person was given to enrol with.
type invitation struct {
	server, code string
	pins         *trust.Pins // nil where the collector's certificate is trusted anyway
}

// enrollAt enrols or enrols again: the token of an earlier enrolment is
// replaced only when the collector has given a new one.
func (p *program) enrollAt(ctx context.Context, c config.Config, asked invitation, verbose bool) error {
	c.Server = "" // may well be another collector than up to now
	st, err := openStation(c, p.logger(verbose))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, enrollTime)
	defer cancel()
	id, err := enroll.Run(ctx, &collector.Endpoint{URL: asked.server, RootCAs: st.roots, Pins: asked.pins}, asked.code, *st.id, p.version, time.Now())
	if err != nil {
		return err
	}
	// Remembered, so that a person need not name the file before every check.
	id.Enrolment.CA += st.ca
	if id.Enrolment.CA == "" && st.enrolled() && st.id.Enrolment.Server == id.Enrolment.Server {
		id.Enrolment.CA = st.id.Enrolment.CA
	}
	if err := id.Save(c.Data); err != nil {
		return err
	}
	p.say("enroll.done", "server", id.Enrolment.Server, "participant", words.Clean(id.Enrolment.Participant, 80))
	return nil
}
