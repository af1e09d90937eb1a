package main

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/enroll"
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
	if len(positional) == 0 {
		return &usageError{key: "enroll.no_code"}
	}
	c, err := s.load(p.getenv)
	if err != nil {
		return err
	}
	if c.Server == "" {
		return &usageError{key: "enroll.no_server"}
	}
	return p.enrollAt(ctx, c, positional[0], *verbose)
}

// enrollAt enrols or enrols again: the token of an earlier enrolment is
// replaced only when the collector has given a new one.
func (p *program) enrollAt(ctx context.Context, c config.Config, code string, verbose bool) error {
	if _, err := enroll.NormalizeCode(code); err != nil {
		return &usageError{key: "enroll.code_form"}
	}
	server := c.Server
	c.Server = "" // may well be another collector than up to now
	st, err := openStation(c, p.logger(verbose))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, enrollTime)
	defer cancel()
	id, err := enroll.Run(ctx, &collector.Endpoint{URL: server, RootCAs: st.roots}, code, *st.id, p.version, time.Now())
	if err != nil {
		return err
	}
	// Remembered, so that a person need not name the file before every check.
	id.Enrolment.CA = st.ca
	if st.ca == "" && st.enrolled() && st.id.Enrolment.Server == id.Enrolment.Server {
		id.Enrolment.CA = st.id.Enrolment.CA
	}
	if err := id.Save(c.Data); err != nil {
		return err
	}
	p.say("enroll.done", "server", id.Enrolment.Server, "participant", words.Clean(id.Enrolment.Participant, 80))
	return nil
}
