package main

import (
	"context"
	"errors"

	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/station"
)

// permission shows or changes whether phone support may check the line without asking.
func (p *program) permission(ctx context.Context, args []string) error {
	f := newFlags("permission")
	s := bindSettings(f)
	asJSON := f.Bool("json", false, "")
	positional, err := p.parse(f, args, 1)
	if err != nil {
		return err
	}
	action := "show"
	if len(positional) > 0 {
		action = positional[0]
	}
	if action != "show" && action != "allow" && action != "withdraw" {
		return &usageError{key: "permission.unknown_action", args: []any{"action", action}}
	}
	c, err := s.loadForPerson(p.getenv)
	if err != nil {
		return err
	}
	st, how, err := station.Connect(ctx, c, p.logger(false))
	if err != nil && !errors.Is(err, identity.ErrNotSaved) {
		return err
	}
	p.warnConnection(how)
	if action != "show" {
		if err := st.AllowNetworkRetest(ctx, action == "allow"); err != nil {
			return err
		}
	}
	allowed, err := st.AllowsNetworkRetest(ctx)
	if err != nil {
		return err
	}
	switch {
	case *asJSON:
		return p.printJSON(map[string]bool{"network_retest": allowed})
	case allowed:
		p.say("permission.allowed")
	default:
		p.say("permission.asked")
	}
	return nil
}
