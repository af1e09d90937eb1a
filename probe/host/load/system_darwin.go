package load

import (
	"context"
	"os/exec"
)

func (system) pressure(string) *float64 { return nil }

func (system) throttles(ctx context.Context) (n int64, state, ok bool) {
	limited, ok := parseTherm(pmset(ctx, "-g", "therm"))
	if limited {
		n = 1
	}
	return n, true, ok
}

func (system) power(ctx context.Context) power {
	return parsePmset(pmset(ctx, "-g", "batt"), pmset(ctx, "-g"))
}

// pmset returns the output of the system's tool; "" if it fails.
func pmset(ctx context.Context, args ...string) string {
	out, err := exec.CommandContext(ctx, "/usr/bin/pmset", args...).Output()
	if err != nil {
		return ""
	}
	return string(out)
}
