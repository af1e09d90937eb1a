package check

import (
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe"
)

// selection returns the known probes that are asked for by name or by group, each once,
// in the order of known. A group does not select the steps of the plan that run on
// request only. "nat" is both a probe and a group; it means the group.
func selection(asked, known []string, plan probe.Plan) ([]string, error) {
	onRequest := map[string]bool{}
	for _, s := range plan {
		onRequest[s.Probe.Name()] = s.OnRequest
	}
	wanted := map[string]bool{}
	var unknown []string
	for _, word := range asked {
		found := false
		for _, name := range known {
			group, _, _ := strings.Cut(name, ".")
			if name != word && group != word {
				continue
			}
			found = true
			wanted[name] = wanted[name] || name == word || !onRequest[name]
		}
		if !found && !slices.Contains(unknown, word) {
			unknown = append(unknown, word)
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
