package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/agent/check"
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
	probes := check.ProbeNames()
	fmt.Fprint(p.out, p.t("help."+command,
		"groups", strings.Join(groupsOf(probes), ", "),
		"probes", strings.Join(wrapped(probes, 66), "\n"+strings.Repeat(" ", 22))))
}

// groupsOf returns the groups of the probes: the first words of their names.
func groupsOf(probes []string) (groups []string) {
	for _, name := range probes {
		if group, _, _ := strings.Cut(name, "."); !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	return groups
}

// wrapped joins the words with commas to lines of at most width characters.
func wrapped(words []string, width int) (lines []string) {
	line := ""
	for i, word := range words {
		if i < len(words)-1 {
			word += ","
		}
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
