package visit_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/guard"
)

func TestTogetherPassesAPanicOnAfterAllHaveEnded(t *testing.T) {
	began, ended := make(chan struct{}), false
	defer func() {
		if got, ok := recover().(*guard.Panic); !ok || got.Value != "hostile" || !ended {
			t.Errorf("recovered %v, the other had ended: %t; want hostile, true", got, ended)
		}
	}()
	visit.Together(
		func() { close(began); panic("hostile") },
		func() { <-began; ended = true },
	)
	t.Error("no panic")
}
