package diagnose

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// maxNameRunes is the maximum length of a name in a sentence.
const maxNameRunes = 32

var rePlaceholder = regexp.MustCompile(`\{([a-z][a-z0-9_]*)\}`)

// ExplainCause is Explain for a cause that was found. If its evidence contains a name,
// for example of the microphone that hears the voice, the sentence and the action use
// it; otherwise they are those of Explain. If one code covers cases with different
// remedies, the evidence selects the text. A sentence about a server names the one that
// the cause refers to.
func ExplainCause(c report.Cause, lang phrase.Lang) (Text, bool) {
	p, err := LoadProfile(DefaultProfile)
	if err != nil {
		return Text{}, false
	}
	return ExplainCauseBy(c, lang, p)
}

// ExplainCauseBy is ExplainCause with the limits of profile p.
func ExplainCauseBy(c report.Cause, lang phrase.Lang, p Profile) (Text, bool) {
	t, ok := ExplainBy(c.Code, lang, p)
	if !ok {
		return Text{}, false
	}
	names := namesIn(c.Evidence)
	syllablesIn(c.Evidence, names)
	durationIn(c.Evidence, names, lang)
	for part, text := range map[string]*string{"sentence": &t.Sentence, "action": &t.Action} {
		key := "cause." + c.Code + "." + part
		if named, ok := filledText(book(lang), key, c.Evidence, names); ok {
			*text = named
		} else if fitting, ok := fittingText(book(lang), key, c.Evidence); ok {
			*text = fitting
		} else {
			// The endpoint's sentence says whose fault it is, so an unknown area may have one of its own.
			for _, form := range []string{key + "_of_" + operatorOf(c.Endpoint) + "_area_" + string(c.Area), key + "_of_" + operatorOf(c.Endpoint)} {
				if book(lang).Has(form) {
					*text = book(lang).T(form)
					break
				}
			}
		}
	}
	return t, true
}

// operatorOf returns the server whose name a text contains: the reflector is part of the
// collector for everybody but its administrator.
func operatorOf(e report.Endpoint) string {
	if e == report.EndpointReflector {
		e = report.EndpointCollector
	}
	return string(e)
}

// fittingText returns the variant of a text for the evidence: action_line_silent for a
// field line with the value "silent", sentence_with_syllabic_ms for any field
// syllabic_ms.
func fittingText(b *phrase.Book, key string, evidence []report.Evidence) (string, bool) {
	for _, e := range evidence {
		value, ok := e.Value.(string)
		if form := key + "_" + e.Field + "_" + value; ok && b.Has(form) {
			return b.T(form), true
		}
		if form := key + "_with_" + e.Field; b.Has(form) {
			return b.T(form), true
		}
	}
	return "", false
}

// filledSuffixes are the suffixes of the variants of a text with fields of the evidence
// as placeholders: sentence_named = "… {voice_device} …". The first one whose placeholders
// are all known is used.
var filledSuffixes = [...]string{"_named_timed", "_named", "_timed"}

// filledText returns the variant of a text with the names in the evidence. For an entry of
// a list, such as events.detail with the value "router", sentence_detail_router_named
// precedes sentence_named.
func filledText(b *phrase.Book, key string, evidence []report.Evidence, names map[string]string) (string, bool) {
	var keys []string
	for _, e := range evidence {
		if value, ok := e.Value.(string); ok && strings.Contains(e.Field, ".") {
			keys = append(keys, key+"_"+e.Field[strings.LastIndex(e.Field, ".")+1:]+"_"+value)
		}
	}
	for _, key := range append(keys, key) {
		for _, suffix := range filledSuffixes {
			if text, ok := namedText(b, key+suffix, names); ok {
				return text, true
			}
		}
		if slices.Contains(keys, key) && b.Has(key) {
			return b.T(key), true
		}
	}
	return "", false
}

// namedText returns a text with its placeholders filled in, if there is one and all
// values are known.
func namedText(b *phrase.Book, key string, names map[string]string) (string, bool) {
	if !b.Has(key) {
		return "", false
	}
	var args []any
	for _, wanted := range rePlaceholder.FindAllStringSubmatch(b.T(key), -1) {
		name, ok := names[wanted[1]]
		if !ok {
			return "", false
		}
		args = append(args, wanted[1], name)
	}
	return b.T(key, args...), true
}

// namesIn returns the texts in the evidence by the last part of their fields, shortened
// for a sentence.
func namesIn(evidence []report.Evidence) map[string]string {
	names := map[string]string{}
	for _, e := range evidence {
		said, ok := e.Value.(string)
		if name := shortName(report.CleanText(said)); ok && name != "" {
			names[e.Field[strings.LastIndex(e.Field, ".")+1:]] = name
		}
	}
	return names
}

// shortName shortens a long name and removes quotation marks, which would end ours.
func shortName(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if strings.ContainsRune("„“”\"", r) {
			return -1
		}
		return r
	}, s))
	if utf8.RuneCountInString(s) <= maxNameRunes {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:maxNameRunes-1])) + "…"
}
