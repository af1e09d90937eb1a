package diagnose

import (
	"cmp"
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Definition is one entry of the catalogue of causes. To add a cause is to write
// one, with its rule, and its texts.
type Definition struct {
	Code string
	// Position orders causes of the same severity: what must work first is to be
	// fixed first. No two causes share one. A cause stands behind those that
	// explain it.
	Position int
	// Severity is the worst this cause can be.
	Severity report.Severity
	// Area says in whose hands the cause usually lies; a rule that knows better
	// says so in the report.
	Area report.Area
	// Local says that the cause lies before any server, so that it speaks of none.
	Local bool
	// OneServer says that the cause speaks of one server only, as every conf.* does. It
	// explains nothing that was measured against a server of another owner.
	OneServer bool
	// Needs are the probes whose data the rule reads.
	Needs []string
	// SuppressedBy are the causes that explain this one, directly. What
	// explains one of those explains this one too.
	SuppressedBy []string

	// needsVoice says that the cause shows in the sound of a voice, so that while
	// the microphone still listens nothing is said without one.
	needsVoice bool
	rule       rule
}

// rule looks for one cause in the facts and returns nil when it is not there
// or was not measured. It must not rely on a nil field either way, nor call
// another rule: what two of them need is a method of facts.
type rule func(*facts) *finding

// Catalogue returns every cause there is a rule for, by position.
func Catalogue() []Definition {
	// The order of these lists means nothing.
	all := slices.Concat(
		accessDefinitions(),
		deviceDefinitions(),
		signalDefinitions(),
		loudspeakerDefinitions(),
		defaultDefinitions(),
		connectionDefinitions(),
		portDefinitions(),
		blockedDefinitions(),
		serverDefinitions(),
		conferenceDefinitions(),
		ownDefinitions(),
		mediaDefinitions(),
		turnDefinitions(),
		noPathDefinitions(),
		linkDefinitions(),
		qualityDefinitions(),
		loadDefinitions(),
		natDefinitions(),
		surroundingDefinitions(),
		hostDefinitions(),
		crashDefinitions(),
	)
	slices.SortFunc(all, func(a, b Definition) int { return cmp.Compare(a.Position, b.Position) })
	return all
}

// Lookup returns the definition of code, and whether there is one.
func Lookup(code string) (Definition, bool) {
	all := Catalogue()
	if i := slices.IndexFunc(all, func(d Definition) bool { return d.Code == code }); i >= 0 {
		return all[i], true
	}
	return Definition{}, false
}

// explainedBy returns for each code every code that explains it, directly or
// through others.
func explainedBy(all []Definition) map[string]map[string]bool {
	closed := map[string]map[string]bool{}
	// A cause stands behind those that explain it (a test holds this), so that
	// one pass in order closes the relation.
	for _, d := range all {
		set := map[string]bool{}
		for _, by := range d.SuppressedBy {
			set[by] = true
			for further := range closed[by] {
				set[further] = true
			}
		}
		closed[d.Code] = set
	}
	return closed
}
