package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/server/target"
)

// profiles returns the shipped profiles and the town's own.
func (in *invocation) profiles(t terminal) (diagnose.Profiles, error) {
	c, err := in.settings(t)
	if err != nil {
		return diagnose.Profiles{}, err
	}
	if c.ProfilesDir != "" {
		return target.ReadProfiles(c.ProfilesDir, true)
	}
	return target.ReadProfiles(target.ProfilesIn(c.DataDir), false)
}

// listedProfile is a profile in the JSON list.
type listedProfile struct {
	Name    string `json:"profile"`
	BasedOn string `json:"based_on,omitempty"`
	Own     bool   `json:"own"`
	Source  string `json:"source"`
}

func profileList(_ context.Context, t terminal, in *invocation) error {
	profiles, err := in.profiles(t)
	if err != nil {
		return err
	}
	var list []listedProfile
	for _, name := range profiles.Names() {
		p, err := profiles.Load(name)
		if err != nil {
			return err
		}
		_, own := profiles.Own(name)
		list = append(list, listedProfile{name, p.BasedOn, own, p.Source})
	}
	if in.json {
		return printJSON(t.out, list)
	}
	tw := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "NAME\tBASED ON\tSOURCE")
	for _, l := range list {
		_, _ = fmt.Fprintf(tw, "%s\t%s\t%s\n", l.Name, orDash(l.BasedOn), l.Source)
	}
	return tw.Flush()
}

// shownLimit is a limit in the JSON of "profile show".
type shownLimit struct {
	Name   string   `json:"limit"`
	Warn   *float64 `json:"warn,omitempty"`
	Fail   *float64 `json:"fail,omitempty"`
	Value  *float64 `json:"value,omitempty"`
	Own    bool     `json:"own"`
	Source string   `json:"source"`
}

func profileShow(_ context.Context, t terminal, in *invocation) error {
	profiles, err := in.profiles(t)
	if err != nil {
		return err
	}
	p, err := profiles.Load(in.args[0])
	if err != nil {
		return err
	}
	own := map[string]bool{}
	if changed := p.Changed(); changed != nil {
		for _, c := range changed.Changed {
			own[c.Name] = true
		}
	}
	var list []shownLimit
	for _, l := range p.Limits() {
		list = append(list, shownLimit{l.Name, l.Warn, l.Fail, l.Value, own[l.Name], l.Source})
	}
	if in.json {
		return printJSON(t.out, struct {
			listedProfile
			Limits []shownLimit `json:"limits"`
			Ports  *shownPorts  `json:"ports,omitempty"`
		}{listedProfile{p.Name, p.BasedOn, p.BasedOn != "", p.Source}, list, portsOf(p)})
	}
	_, _ = fmt.Fprintf(t.out, "%s: %s\n", p.Name, p.Source)
	if p.BasedOn != "" {
		_, _ = fmt.Fprintf(t.out, "Limits with * differ from those of %s.\n", p.BasedOn)
	}
	tw := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "\nLIMIT\tWARN\tFAIL\tVALUE\tSOURCE")
	for _, l := range list {
		mark := ""
		if l.Own {
			mark = " *"
		}
		_, _ = fmt.Fprintf(tw, "%s%s\t%s\t%s\t%s\t%s\n", l.Name, mark, number(l.Warn), number(l.Fail), number(l.Value), l.Source)
	}
	if ports := portsOf(p); ports != nil {
		_, _ = fmt.Fprintf(tw, "\nPORTS\tTCP %s\tUDP %s\t\t%s\n", strings.Join(ports.TCP, " "), strings.Join(ports.UDP, " "), ports.Source)
	}
	return tw.Flush()
}

// shownPorts are the ports of a profile in JSON.
type shownPorts struct {
	TCP    []string `json:"tcp"`
	UDP    []string `json:"udp"`
	Source string   `json:"source"`
}

// portsOf returns the ports of a profile; nil if it has none.
func portsOf(p diagnose.Profile) *shownPorts {
	if p.Ports.Source == "" {
		return nil
	}
	return &shownPorts{p.Ports.TCP, p.Ports.UDP, p.Ports.Source}
}

func number(v *float64) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

// profileCheck checks a file before it is put into the directory.
func profileCheck(_ context.Context, t terminal, in *invocation) error {
	file := in.args[0]
	info, err := os.Stat(file)
	if err != nil {
		return usagef("the profile: %s", err)
	}
	if info.Size() > diagnose.MaxProfileBytes {
		return usagef("%s is larger than %d bytes: is it the right file?", file, diagnose.MaxProfileBytes)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return usagef("the profile: %s", err)
	}
	name, isTOML := strings.CutSuffix(filepath.Base(file), ".toml")
	if !isTOML {
		return usagef("%s: the name of a profile's file ends with .toml", file)
	}
	p, err := diagnose.ParseProfile(name, text)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "%s is valid: %d limits differ from those of %s.\n", file, len(p.Changed().Changed), p.BasedOn)
	return err
}
