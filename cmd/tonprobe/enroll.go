package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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
	f.Func("server", "", func(v string) error {
		// The Windows installer passes the property of the administrator, even if it is empty. The settings
		// or the variable of a group policy name the collector then.
		if v != "" {
			s.flags = append(s.flags, func(c *config.Config) { c.Server = v })
		}
		return nil
	})
	verbose, later := f.Bool("verbose", false, ""), f.Bool("later", false, "")
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
	return p.enrollAt(ctx, c, asked, *later, *verbose)
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
// the collector has issued a new one. With later, the invitation is stored if the collector does not
// answer; a running service has no need of that, because its computer is not being installed.
func (p *program) enrollAt(ctx context.Context, c config.Config, asked enroll.Invitation, later, verbose bool) error {
	c.Server = "" // may be another collector than before
	st, how, err := station.Connect(ctx, c, p.logger(verbose))
	if err != nil {
		return err
	}
	p.warnConnection(how)
	if later && !st.UsesService() {
		result, err := st.EnrollKept(ctx, asked, p.version, time.Now())
		switch {
		case result == station.LaterWaits && errors.Is(err, enroll.ErrUntrusted):
			p.warn("enroll.later_untrusted", "reason", p.reasonFor(err))
			return &printedError{exitSoftware}
		case result == station.LaterWaits:
			p.say("enroll.later", "reason", p.reasonFor(err))
			return nil
		case err != nil:
			return err
		case result != station.LaterDone:
			return fmt.Errorf("the code was not used: %s", result)
		}
	} else if err := st.Enroll(ctx, asked, p.version); err != nil {
		return err
	}
	e := st.Enrolment()
	p.say("enroll.done", "server", e.Server, "participant", words.Clean(e.Participant, 80))
	if st.UsesService() {
		p.say("enroll.service")
	}
	return nil
}

// enrollLaterTime limits the attempt with a stored invitation. The person waits for it before the check
// can start.
const enrollLaterTime = 5 * time.Second

// enrollLater enrols with the invitation that an installer stored. If that fails, the caller asks the
// person for a code and shows note, which explains the failure; "" means that there is nothing to explain.
func (p *program) enrollLater(ctx context.Context, st *station.Station) (note string) {
	used := !st.UsesService() && !st.Config.NoUpload
	if kept, err := enroll.Kept(st.Config.Data); used && err == nil && kept != nil {
		p.warn("enroll.later_tries", "seconds", int(enrollLaterTime.Seconds()))
	}
	ctx, cancel := context.WithTimeout(ctx, enrollLaterTime)
	defer cancel()
	result, err := st.EnrollLater(ctx, p.version, time.Now())
	switch {
	case !used:
		return ""
	case result == station.LaterDone:
		p.warn("enroll.done", "server", st.Enrolment().Server, "participant", words.Clean(st.Enrolment().Participant, 80))
	case result == station.LaterWaits:
		return p.t("enroll.later_waits", "reason", p.reasonFor(err))
	case result == station.LaterRefused && errors.Is(err, enroll.ErrCodeInvalid):
		return p.t("enroll.later_used_up")
	case result == station.LaterRefused:
		return p.t("enroll.later_refused", "reason", p.reasonFor(err))
	case result == station.LaterExpired:
		return p.t("enroll.later_expired")
	}
	return ""
}

// reasonFor returns an error as a sentence that begins with a capital letter.
func (p *program) reasonFor(err error) string {
	text, _ := p.screenSentence(err)
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
