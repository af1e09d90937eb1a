package check

import (
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// onRequest reports whether a group excludes the probe unless it is requested by
// its own option: media.load fills the line, audio.output makes a sound.
func (o Options) onRequest(name string) bool {
	return name == report.ProbeMediaLoad && !o.Load || name == report.ProbeAudioOutput && !o.Speaker
}

// selection returns the known probes that Only selects, each once, in the order of
// known. "nat" is both a probe and a group; it means the group.
func (o Options) selection(known []string) ([]string, error) {
	wanted := map[string]bool{}
	var unknown []string
	for _, asked := range o.Only {
		found := false
		for _, name := range known {
			group, _, _ := strings.Cut(name, ".")
			if name != asked && group != asked {
				continue
			}
			found = true
			wanted[name] = wanted[name] || name == asked || !o.onRequest(name)
		}
		if !found && !slices.Contains(unknown, asked) {
			unknown = append(unknown, asked)
		}
	}
	if len(unknown) > 0 {
		return nil, &UnknownProbeError{Names: unknown, Known: known}
	}
	return slices.DeleteFunc(slices.Clone(known), func(name string) bool { return !wanted[name] }), nil
}

// Listens reports whether the check opens a microphone, so that the person can be
// asked to speak or to be quiet. The options must be valid.
func (o Options) Listens() bool {
	if o.noAudioReason() != "" {
		return false
	}
	return len(o.Only) == 0 || slices.ContainsFunc(o.Only, func(name string) bool {
		group, _, _ := strings.Cut(name, ".")
		return group == "audio"
	})
}
