package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/enroll"
)

func TestShownCodesAreBounded(t *testing.T) {
	c, now := newShownCodes(), time.Unix(0, 0)
	for i := range 2 * maxShownCodes {
		c.keep(fmt.Sprint(i), enroll.Invitation{}, now)
	}
	if len(c.byKey) != maxShownCodes {
		t.Errorf("got %d codes, want %d", len(c.byKey), maxShownCodes)
	}
	c.keep("later", enroll.Invitation{}, now.Add(shownFor))
	if len(c.byKey) != 1 {
		t.Errorf("got %d codes afterwards, want 1", len(c.byKey))
	}
	c.keep("", enroll.Invitation{}, now)
	c.keep(strings.Repeat("x", 100), enroll.Invitation{}, now)
	if _, ok := c.find("", now); ok || len(c.byKey) != 1 {
		t.Error("codes with invalid keys are kept")
	}
}
