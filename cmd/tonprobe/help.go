package main

import (
	"context"
	"fmt"
)

// help prints the usage of the program or of one subcommand.
func (p *program) help(_ context.Context, args []string) error {
	positional, err := p.parse(newFlags("help"), args, 1)
	if err != nil {
		return err
	}
	if len(positional) == 0 {
		p.usage("")
		return nil
	}
	if !p.texts.Has("help." + positional[0]) {
		return &usageError{key: "usage.unknown_command", args: []any{"command", positional[0]}}
	}
	p.usage(positional[0])
	return nil
}

func (p *program) usage(command string) {
	if command == "" || command == "help" {
		fmt.Fprint(p.out, p.t("help.tonprobe"))
		return
	}
	fmt.Fprint(p.out, p.t("help."+command))
}
