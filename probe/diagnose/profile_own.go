package diagnose

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Limits of the files of a town's own profiles.
const (
	// MaxOwnProfiles is the maximum number of profiles of a town.
	MaxOwnProfiles = 16
	// MaxProfileBytes is the maximum size of a file.
	MaxProfileBytes = 8 << 10
)

// ProfileError is a profile of a town that cannot be used. Line is 0 if the fault has no
// position.
type ProfileError struct {
	File    string
	Line    int
	Problem string
}

// Error returns the position of the fault and what to do about it.
func (e *ProfileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("profile %s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("profile %s, line %d: %s", e.File, e.Line, e.Problem)
}

// Profiles are the shipped profiles and those of a town, which may replace shipped ones of
// the same name. The zero value is the shipped ones.
type Profiles struct{ own map[string]ownProfile }

type ownProfile struct {
	Profile
	text string
}

// ReadProfiles reads a town's own profiles from the files NAME.toml at the root of dir.
// The error joins a *ProfileError for each file that cannot be used.
func ReadProfiles(dir fs.FS) (Profiles, error) {
	files, err := fs.Glob(dir, "*.toml")
	if err != nil {
		return Profiles{}, fmt.Errorf("list the profiles: %w", err)
	}
	if len(files) > MaxOwnProfiles {
		return Profiles{}, fmt.Errorf("there are %d profiles, at most %d are possible", len(files), MaxOwnProfiles)
	}
	all := Profiles{own: map[string]ownProfile{}}
	var faults []error
	for _, file := range files {
		text, err := fs.ReadFile(dir, file)
		if err != nil {
			faults = append(faults, &ProfileError{File: file, Problem: err.Error()})
			continue
		}
		p, err := ParseProfile(strings.TrimSuffix(file, ".toml"), text)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		all.own[p.Name] = ownProfile{p, string(text)}
	}
	return all, errors.Join(faults...)
}

// Load returns the named profile; "" means DefaultProfile. The error for an unknown name is
// an *UnknownProfileError.
func (a Profiles) Load(name string) (Profile, error) {
	if own, ok := a.own[name]; ok {
		return own.Profile, nil
	}
	p, err := LoadProfile(name)
	if unknown, ok := errors.AsType[*UnknownProfileError](err); ok {
		unknown.Known = a.Names()
	}
	return p, err
}

// Names returns the names of all profiles, sorted.
func (a Profiles) Names() []string {
	names := append(ProfileNames(), slices.Collect(maps.Keys(a.own))...)
	slices.Sort(names)
	return slices.Compact(names)
}

// Own returns the file of a town's own profile, and whether there is one with that name.
func (a Profiles) Own(name string) (text string, ok bool) {
	own, ok := a.own[name]
	return own.text, ok
}

var reProfileName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

// ParseProfile reads a town's own profile. Its limits are those of the shipped profile
// that based_on names (by default the one of the same name, otherwise DefaultProfile),
// replaced by those in text. The error is a *ProfileError: an unknown key, an impossible
// limit, or one without its source.
func ParseProfile(name string, text []byte) (Profile, error) { return parseOwn(name, text, true) }

// AdoptProfile is ParseProfile for a profile that another program has accepted. It ignores
// keys that this version does not know.
func AdoptProfile(name string, text []byte) (Profile, error) { return parseOwn(name, text, false) }

func parseOwn(name string, text []byte, strict bool) (Profile, error) {
	fault := func(line int, format string, args ...any) error {
		return &ProfileError{File: name + ".toml", Line: line, Problem: fmt.Sprintf(format, args...)}
	}
	switch {
	case !reProfileName.MatchString(name) || name == commonFile:
		return Profile{}, fault(0, "cannot be the name of a profile: use up to 32 of a to z, 0 to 9, - and _")
	case len(text) > MaxProfileBytes:
		return Profile{}, fault(0, "has %d bytes, at most %d are possible", len(text), MaxProfileBytes)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // Notepad writes a byte order mark
	var own Profile
	d := toml.NewDecoder(bytes.NewReader(text))
	if strict {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(&own); err != nil {
		return Profile{}, decodeFault(err, fault)
	}
	lines := linesOf(text)
	if own.Name != "" && own.Name != name {
		return Profile{}, fault(lines["name"], "name is %q, but the file is called %s.toml", own.Name, name)
	}
	base := own.BasedOn
	if base == "" {
		if base = DefaultProfile; slices.Contains(ProfileNames(), name) {
			base = name
		}
	}
	p, err := LoadProfile(base)
	if err != nil {
		return Profile{}, fault(lines["based_on"], "based_on names no shipped profile: choose one of %s", strings.Join(ProfileNames(), ", "))
	}
	// The decoder writes through the pointers of p, so a second copy of its limits is
	// needed.
	unchanged, err := LoadProfile(base)
	if err != nil {
		return Profile{}, err
	}
	shipped := limitsOf(unchanged)
	if own.Source == "" {
		return Profile{}, fault(0, "source is missing: write who has decided on these limits, and when")
	}
	for _, key := range slices.Sorted(maps.Keys(shipped)) {
		if lines[key] == 0 {
			continue // not set
		}
		if problem := own.problemOf(key, shipped[key]); problem != "" {
			return Profile{}, fault(lines[key], "%s: %s", key, problem)
		}
	}
	if lines["ports"] != 0 {
		p.Ports = Ports{} // a table of ports replaces the shipped one as a whole
	}
	if err := toml.Unmarshal(text, &p); err != nil {
		return Profile{}, decodeFault(err, fault)
	}
	if problem := p.Ports.problem(); problem != "" {
		return Profile{}, fault(lines["ports"], "ports: %s", problem)
	}
	p.Name, p.BasedOn = name, base
	switch p.ServerArea {
	case "participant", "municipality", "provider", "unknown":
	default:
		return Profile{}, fault(lines["server_area"], "server_area is %q: choose one of municipality, provider, unknown", p.ServerArea)
	}
	merged := limitsOf(p)
	for _, key := range slices.Sorted(maps.Keys(merged)) {
		if problem := orderProblem(merged[key], shipped[key]); problem != "" {
			return Profile{}, fault(lines[key], "%s: %s", key, problem)
		}
	}
	return p, nil
}

// decodeFault converts an error of the decoder.
func decodeFault(err error, fault func(int, string, ...any) error) error {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(strict.Errors) > 0 {
		first := strict.Errors[0]
		line, _ := first.Position()
		return fault(line, "there is no key %s", strings.Join(first.Key(), "."))
	}
	if broken, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := broken.Position()
		return fault(line, "%s", strings.TrimPrefix(broken.Error(), "toml: "))
	}
	return fault(0, "%s", err)
}

// problemOf describes what is wrong with a limit that a profile sets; "" if nothing is.
func (p Profile) problemOf(key string, shipped any) string {
	var values []float64
	source := ""
	switch v := limitsOf(p)[key].(type) {
	case Limit:
		for _, end := range []*float64{v.Warn, v.Fail} {
			if end != nil {
				values = append(values, *end)
			}
		}
		source = v.Source
		if len(values) == 0 {
			return "neither warn nor fail is set"
		}
	case Bound:
		values, source = []float64{v.Value}, v.Source
	}
	for _, v := range values {
		if low, high := rangeOf(key); math.IsNaN(v) || v < low || v > high {
			return fmt.Sprintf("%g is impossible: it must be from %g to %g", v, low, high)
		}
	}
	if strings.TrimSpace(source) == "" {
		return "source is missing: write where the limit comes from"
	}
	return ""
}

// rangeOf returns the values that a limit can have, by the unit at the end of its key.
func rangeOf(key string) (low, high float64) {
	const day = 86_400
	for _, unit := range []struct {
		suffix    string
		low, high float64
	}{
		{"_pct", 0, 100}, {"_ms", 0, day * 1000}, {"_kbps", 0, 1e7}, {"_mb", 0, 1e9}, {"_hz", 0, 1e6},
		{"_dbfs", -200, 20}, {"_dbtp", -200, 20}, {"_dbm", -200, 50}, {"_db", -200, 200}, {"_s", 0, 365 * day},
		{".correlation", -1, 1}, {".dc_offset", 0, 1},
	} {
		if strings.HasSuffix(key, unit.suffix) {
			return unit.low, unit.high
		}
	}
	return 0, 1e9 // a number of events
}

// orderProblem describes a limit whose warning lies beyond its failure, in the direction of
// the shipped profile; "" if there is none.
func orderProblem(merged, shipped any) string {
	m, ok := merged.(Limit)
	s, _ := shipped.(Limit)
	if !ok || m.Warn == nil || m.Fail == nil {
		return ""
	}
	upwards := *m.Fail > *m.Warn
	if s.Warn != nil && s.Fail != nil {
		upwards = *s.Fail > *s.Warn
	}
	if *m.Warn == *m.Fail || (*m.Fail > *m.Warn) != upwards {
		word := "below"
		if !upwards {
			word = "above"
		}
		return fmt.Sprintf("warn (%g) must be %s fail (%g); the one that the profile does not set is that of the shipped one", *m.Warn, word, *m.Fail)
	}
	return ""
}

// linesOf returns the line of each key of a TOML text, such as "source", "voice.rtt_ms"
// and "voice.rtt_ms.warn". The text must be valid.
func linesOf(text []byte) map[string]int {
	lines := map[string]int{}
	var parser unstable.Parser
	parser.Reset(text)
	prefix := ""
	keyOf := func(n *unstable.Node) (key string, line int) {
		var parts []string
		for it := n.Key(); it.Next(); {
			if line == 0 {
				line = parser.Shape(it.Node().Raw).Start.Line
			}
			parts = append(parts, string(it.Node().Data))
		}
		return strings.Join(parts, "."), line
	}
	// A key is also the first mention of the table that contains it.
	note := func(key string, line int) {
		for {
			if lines[key] == 0 {
				lines[key] = line
			}
			cut := strings.LastIndexByte(key, '.')
			if cut < 0 {
				return
			}
			key = key[:cut]
		}
	}
	for parser.NextExpression() {
		n := parser.Expression()
		key, line := keyOf(n)
		switch n.Kind {
		case unstable.Table, unstable.ArrayTable:
			prefix = key
			note(key, line)
		case unstable.KeyValue:
			if prefix != "" {
				key = prefix + "." + key
			}
			note(key, line)
			if n.Value().Kind == unstable.InlineTable {
				for it := n.Value().Children(); it.Next(); {
					inner, _ := keyOf(it.Node())
					note(key+"."+inner, line)
				}
			}
		}
	}
	return lines
}

// limitAt returns a pointer to the limit or bound of a key such as "voice.rtt_ms"; nil if
// there is none.
func (p *Profile) limitAt(key string) any {
	group, name, _ := strings.Cut(key, ".")
	root := reflect.ValueOf(p).Elem()
	for i := range root.NumField() {
		if root.Type().Field(i).Tag.Get("toml") != group || root.Field(i).Kind() != reflect.Struct {
			continue
		}
		for j := range root.Field(i).NumField() {
			if root.Field(i).Type().Field(j).Tag.Get("toml") == name {
				return root.Field(i).Field(j).Addr().Interface()
			}
		}
	}
	return nil
}
