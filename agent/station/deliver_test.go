package station

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/uplink"
)

// TestSendTime checks that check and attempt end within 15 s, however long the
// check took.
func TestSendTime(t *testing.T) {
	for check, want := range map[time.Duration]time.Duration{
		0: maxSendTime, 5 * time.Second: maxSendTime, 9 * time.Second: 5 * time.Second,
		12 * time.Second: minSendTime, time.Hour: minSendTime,
	} {
		if got := sendTime(check); got != want {
			t.Errorf("after %v: got %v, want %v", check, got, want)
		}
	}
}

func TestOutcomeByError(t *testing.T) {
	other := errors.New("no route to host")
	for _, c := range []struct {
		err              error
		stored, unstored Outcome
	}{
		{nil, Sent, SentNotKept},
		{uplink.ErrBlocked, Blocked, Blocked},
		{uplink.ErrEnrolAgain, EnrollAgain, EnrollAgain},
		{uplink.ErrErased, Erased, Erased},
		{uplink.ErrRefused, Refused, Failed},
		{uplink.ErrUntrusted, Waiting, Failed},
		{other, Waiting, Failed},
	} {
		err := c.err
		if err != nil {
			err = fmt.Errorf("send: %w", err)
		}
		if got := statusStored(err); got != c.stored {
			t.Errorf("%v, stored: got %s, want %s", c.err, got, c.stored)
		}
		if got := statusUnstored(err); got != c.unstored {
			t.Errorf("%v, not stored: got %s, want %s", c.err, got, c.unstored)
		}
	}
}
