package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/server"
	"github.com/tonprobe/tonprobe/server/alert"
)

func alertTestFlags(in *invocation) {
	in.flags.StringVar(&in.channel, "channel", "", "test only the channel with this `name`")
}

// errNotAccepted means that a channel did not take a test. The output says why.
var errNotAccepted = errors.New("a test was not accepted")

// accepted describes what is known once a channel has accepted a test: not that a person has
// received it.
func accepted(c alert.Channel) string {
	switch c.Kind {
	case alert.KindEmail:
		return "accepted by the mail server: look whether the mail arrives"
	case alert.KindNtfy:
		return "accepted by the server: look whether the phones show it"
	}
	return "accepted by the other program"
}

// alertTest sends a test to each channel, with one attempt.
func alertTest(ctx context.Context, t terminal, in *invocation) error {
	s, err := alert.Read(in.args[0])
	if err != nil {
		return err
	}
	lang, _ := phrase.ParseLang(s.Language)
	texts, err := alert.Texts(lang)
	if err != nil {
		return err
	}
	sender, tried, failed := server.AlertSender(time.Now), 0, false
	for _, c := range s.Channels {
		if in.channel != "" && c.Name != in.channel {
			continue
		}
		tried++
		result := accepted(c)
		if err := sender.Once(ctx, c, alert.Test(texts, time.Now(), "")); err != nil {
			result, failed = "failed: "+oneLine(err), true
		}
		if _, err := fmt.Fprintf(t.out, "%s (%s): %s\n", c.Name, c.Kind, result); err != nil {
			return err
		}
	}
	switch {
	case tried == 0:
		return usagef("there is no channel %.60q in %s", in.channel, in.args[0])
	case failed:
		return errNotAccepted
	}
	return nil
}
