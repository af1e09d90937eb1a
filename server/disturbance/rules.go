package disturbance

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// NoRules is the name of the rules of a collector for which no Land is chosen. A Land is one of the
// sixteen German federal states, whose laws on local government differ.
const NoRules = "none"

// Words are a text in both languages.
type Words struct {
	DE string `toml:"de" json:"de"`
	EN string `toml:"en" json:"en"`
}

// Rules are the provisions of a Land (German federal state) about disturbances, from rules/*.toml. They
// contain only what is documented with a source.
type Rules struct {
	Name    string   `toml:"name" json:"name"`
	Land    Words    `toml:"land" json:"land"`
	Sources []Source `toml:"source" json:"sources,omitempty"`
	// PresumedOwn are the conditions under which the fault is presumed the member's own; nil if no
	// presumption is known.
	PresumedOwn *Presumption `toml:"presumed_own" json:"presumed_own,omitempty"`
}

// Source is a provision and its content in words.
type Source struct {
	Statute string `toml:"statute" json:"statute"`
	Words
}

// Presumption contains the conditions of a presumption. All of those that are set must hold.
type Presumption struct {
	NotFixed             bool `toml:"not_fixed" json:"not_fixed"`
	AllOthersUndisturbed bool `toml:"all_others_undisturbed" json:"all_others_undisturbed"`
}

//go:embed rules/*.toml
var shipped embed.FS

// ErrRules means that rules cannot be used. Its text states the reason.
var ErrRules = errors.New("invalid rules of a Land")

const (
	maxRulesBytes = 64 << 10
	maxSources    = 10
	maxWordsRunes = 2000
)

// LoadRules returns the rules with a name: from NAME.toml in dir, which may be missing, or the
// shipped ones. The error is an ErrRules.
func LoadRules(dir, name string) (Rules, error) {
	if name == "" {
		name = NoRules
	}
	if strings.ContainsFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' }) || len(name) > 20 {
		return Rules{}, fmt.Errorf("%w: %.40q is not the name of a Land: choose one of %s, or write a file with your own rules", ErrRules, name, strings.Join(ShippedRules(), ", "))
	}
	if dir != "" {
		file := filepath.Join(dir, name+".toml")
		b, err := os.ReadFile(file)
		if err == nil {
			return parseRules(b, name, file)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return Rules{}, fmt.Errorf("%w: %w", ErrRules, err)
		}
	}
	b, err := shipped.ReadFile("rules/" + name + ".toml")
	if err != nil {
		return Rules{}, fmt.Errorf("%w: there are none for %q: choose one of %s, or write a file with your own rules", ErrRules, name, strings.Join(ShippedRules(), ", "))
	}
	return parseRules(b, name, name+".toml")
}

// ShippedRules returns the names of the shipped rules.
func ShippedRules() (names []string) {
	files, err := shipped.ReadDir("rules")
	if err != nil {
		return nil // cannot happen with embedded files
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(path.Base(f.Name()), ".toml"))
	}
	slices.Sort(names)
	return names
}

func parseRules(b []byte, name, file string) (r Rules, err error) {
	fail := func(problem string) (Rules, error) { return Rules{}, fmt.Errorf("%w: %s: %s", ErrRules, file, problem) }
	if len(b) > maxRulesBytes {
		return fail("the file is too large")
	}
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
			return fail("unknown: " + strings.Join(strings.Fields(strict.String()), " "))
		}
		return fail(err.Error())
	}
	switch {
	case r.Name != name:
		return fail(fmt.Sprintf("name is %.40q, want %q", r.Name, name))
	case !r.Land.complete():
		return fail("the name of the Land is missing in a language, or too long")
	case len(r.Sources) > maxSources:
		return fail("there are too many sources")
	case r.PresumedOwn != nil && len(r.Sources) == 0:
		return fail("a presumption needs its source")
	case r.PresumedOwn != nil && !r.PresumedOwn.NotFixed && !r.PresumedOwn.AllOthersUndisturbed:
		return fail("a presumption needs a condition")
	}
	for _, s := range r.Sources {
		if strings.TrimSpace(s.Statute) == "" || !s.complete() {
			return fail("a source needs its statute and what it says, in both languages")
		}
	}
	return r, nil
}

func (w Words) complete() bool {
	for _, text := range []string{w.DE, w.EN} {
		if strings.TrimSpace(text) == "" || len([]rune(text)) > maxWordsRunes {
			return false
		}
	}
	return true
}

// In returns the text in a language.
func (w Words) In(german bool) string {
	if german {
		return w.DE
	}
	return w.EN
}

// Truth is whether a condition holds. It has a third value for what is not known.
type Truth string

// Truths.
const (
	Yes     Truth = "yes"
	No      Truth = "no"
	Unknown Truth = "unknown"
)

// and returns whether both hold.
func (t Truth) and(o Truth) Truth {
	switch {
	case t == No || o == No:
		return No
	case t == Unknown || o == Unknown:
		return Unknown
	}
	return Yes
}

// Judgement compares the facts of one disturbance with a presumption. It is not a decision.
type Judgement struct {
	NotFixed          Truth
	OthersUndisturbed Truth
	// PresumedOwn is whether all conditions of the Land hold; "" if no presumption is known.
	PresumedOwn Truth
}

// Judge compares a disturbance with the rules.
func (r Rules) Judge(notFixed, othersUndisturbed Truth) Judgement {
	j := Judgement{NotFixed: notFixed, OthersUndisturbed: othersUndisturbed}
	if p := r.PresumedOwn; p != nil {
		j.PresumedOwn = Yes
		if p.NotFixed {
			j.PresumedOwn = j.PresumedOwn.and(j.NotFixed)
		}
		if p.AllOthersUndisturbed {
			j.PresumedOwn = j.PresumedOwn.and(j.OthersUndisturbed)
		}
	}
	return j
}
