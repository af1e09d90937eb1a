package tui

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

func TestSoundSettingsByKey(t *testing.T) {
	opened := 0
	with := func(o *Options) {
		o.SoundSettings = func(context.Context) error { opened++; return errors.New("no window") }
	}
	s := newStand(t, phrase.DE, false, with).answered(finished(t, muted), DeliverySent)
	if s.press("t"); s.last == nil {
		t.Fatal("the key has no effect")
	}
	if s.last(); opened != 1 || s.stage != answering {
		t.Errorf("opened %d times, stage %d; want 1, %d", opened, s.stage, answering)
	}
	s = newStand(t, phrase.DE, false, with).answered(finished(t, nil), DeliverySent)
	if s.press("t"); s.last != nil || strings.Contains(s.View(), "Einstellungen") {
		t.Errorf("offered without a fault:\n%s", s.View())
	}
	out, _, err := recital(t, phrase.DE, "\n\nt\n\n", with, finished(t, muted), silentMicrophone)
	if err != nil || opened != 2 || !strings.Contains(out, "geben Sie „t“ ein") {
		t.Errorf("plain mode: opened %d times, error %v; want 2, nil:\n%s", opened, err, out)
	}
}
