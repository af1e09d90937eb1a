package diagnose

import (
	"cmp"
	"slices"
	"sync"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Definition is one entry of the catalogue of causes. A new cause consists of a
// Definition with its rule, and of its texts.
type Definition struct {
	Code string
	// Position orders causes of the same severity: what must work first is to be fixed
	// first. It is unique. A cause follows those that explain it.
	Position int
	// Severity is the worst this cause can be.
	Severity report.Severity
	// Area is who is usually responsible; a rule may set another one.
	Area report.Area
	// Local means that the cause is located before any server and refers to none.
	Local bool
	// OneServer means that the cause refers to a single server, as every conf.* does.
	// It explains nothing that was measured against a server of another operator.
	OneServer bool
	// Needs lists the probes whose data the rule reads.
	Needs []string
	// SuppressedBy lists the causes that directly explain this one. The relation is
	// transitive.
	SuppressedBy []string
	// Meter is what a level meter shows of the cause by itself.
	Meter Meter
	// OtherMicrophone means that the action is to change to the microphone that hears
	// the voice.
	OtherMicrophone bool
	// ToneUnheard means that the test sound of the loudspeaker was not heard.
	ToneUnheard bool

	// deaf means that the microphone does not hear the room: what it did not hear proves
	// nothing else.
	deaf bool
	// ripe is when the cause can be known during the recording.
	ripe ripeness
	// indicator is the conference system's own indicator that shows the fault; "" for
	// none. See indicatorText.
	indicator string
	// otherTested means that another microphone was checked than the one that a session
	// uses.
	otherTested bool
	// unheard means that nobody is heard with this cause at severity fail; others degrade the voice.
	unheard bool
	// streamOnly means that the cause concerns the public stream only, and not the voice in the session.
	streamOnly bool
	rule       rule
}

// Meter is what a level meter shows of a cause by itself, while a person speaks.
type Meter int

// Kinds of Meter.
const (
	MeterNothing  Meter = iota
	MeterLevel          // the voice is too quiet or too loud
	MeterNoSpeech       // there is sound, but no voice
	MeterMuted          // the system has muted the microphone
	MeterNoSound        // all samples are exactly zero
)

// rule looks for one cause in the facts. It returns nil if the cause is absent or was
// not measured. It must not draw a conclusion from a nil field, and must not call
// another rule: shared code is a method of facts.
type rule func(*facts) *finding

// Catalogue returns all causes, by position.
func Catalogue() []Definition {
	// The order of these lists has no meaning.
	all := slices.Concat(
		accessDefinitions(),
		deviceDefinitions(),
		signalDefinitions(),
		channelDefinitions(),
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

// byCode indexes the catalogue once, because a list of reports looks up a code for each row.
var byCode = sync.OnceValue(func() map[string]Definition {
	found := map[string]Definition{}
	for _, d := range Catalogue() {
		found[d.Code] = d
	}
	return found
})

// Lookup returns the definition of a code, and whether there is one.
func Lookup(code string) (Definition, bool) {
	d, ok := byCode()[code]
	return d, ok
}

// explainedBy returns, for each code, the codes that explain it directly or indirectly.
func explainedBy(all []Definition) map[string]map[string]bool {
	closed := map[string]map[string]bool{}
	// A cause follows those that explain it (verified by a test), so that one pass in
	// order computes the closure.
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
