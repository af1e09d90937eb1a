package diagnose

import (
	"embed"
	"io/fs"
	"strings"
	"sync"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Text contains the texts of one cause.
type Text struct {
	Sentence string // for the councillor: what is wrong
	Action   string // for the councillor: one action
	Hint     string // for phone support: what to say and to look at
	Rule     string // the rule: its limits and their source
}

//go:embed texts/*.toml
var textFiles embed.FS

// books loads the embedded texts once; they are immutable.
var books = sync.OnceValue(func() map[phrase.Lang]*phrase.Book {
	root, err := fs.Sub(textFiles, "texts")
	if err != nil {
		panic(err) // the directory is embedded
	}
	all := map[phrase.Lang]*phrase.Book{}
	for _, lang := range phrase.Langs() {
		if all[lang], err = phrase.Load(root, lang); err != nil {
			panic(err) // a test loads every embedded book
		}
	}
	return all
})

// book returns the texts in lang, or in English if there are none.
func book(lang phrase.Lang) *phrase.Book {
	if b, ok := books()[lang]; ok {
		return b
	}
	return books()[phrase.EN]
}

// Explain returns the texts of a cause with the limits of the default profile,
// and whether the catalogue has the code.
func Explain(code string, lang phrase.Lang) (Text, bool) {
	p, err := LoadProfile(DefaultProfile)
	if err != nil {
		return Text{}, false
	}
	return ExplainBy(code, lang, p)
}

// ExplainBy is Explain with the limits of profile p.
func ExplainBy(code string, lang phrase.Lang, p Profile) (Text, bool) {
	d, ok := Lookup(code)
	if !ok {
		return Text{}, false
	}
	b := book(lang)
	sentence, _ := Sentence(code, lang)
	return Text{
		Sentence: sentence,
		Action:   b.T("cause." + code + ".action"),
		Hint:     b.T("cause."+code+".hint") + indicatorText(b, d, p),
		Rule:     b.T("cause."+code+".rule", limitArgs(p, lang)...),
	}, true
}

// Sentence returns the sentence of a cause, and whether the catalogue has the code. It is
// that of Explain, without the work of the other texts.
func Sentence(code string, lang phrase.Lang) (string, bool) {
	if _, ok := Lookup(code); !ok {
		return "", false
	}
	return book(lang).T("cause." + code + ".sentence"), true
}

// Indicators that a conference system may have.
const (
	indicatorLoss = "loss"
	indicatorRTT  = "rtt"
)

// indicatorText returns, for a conference system with its own indicator, the value from
// which the indicator shows the fault, because callers refer to it.
func indicatorText(b *phrase.Book, d Definition, p Profile) string {
	key := "indicator." + p.Name + "_" + d.indicator
	if d.indicator == "" || !b.Has(key) {
		return ""
	}
	return " " + b.T(key)
}

// limitArgs returns the placeholders of the rule texts: {rtt_ms_warn}, {rtt_ms_fail}
// and {rtt_ms_source} for a limit such as voice.rtt_ms, {speech_min_ms} and
// {speech_min_ms_source} for a bound.
func limitArgs(p Profile, lang phrase.Lang) []any {
	args := []any{"profile", p.Name}
	for key, v := range limitsOf(p) {
		_, name, _ := strings.Cut(key, ".")
		switch v := v.(type) {
		case Limit:
			args = append(args, name+"_warn", end(v.Warn, lang), name+"_fail", end(v.Fail, lang), name+"_source", v.Source)
		case Bound:
			args = append(args, name, numberText(v.Value, lang), name+"_source", v.Source)
		}
	}
	return args
}

func end(v *float64, lang phrase.Lang) string {
	if v == nil {
		return "–"
	}
	return numberText(*v, lang)
}

// VerdictText returns the headline of a verdict if microphone and line were both
// checked. Headline considers what was omitted.
func VerdictText(v report.Verdict, lang phrase.Lang) (headline string) {
	switch v {
	case report.Ready, report.Limited, report.NotReady:
		return book(lang).T("verdict." + string(v))
	}
	return book(lang).T("verdict.unknown")
}

// Headline is VerdictText for a finished report: if the microphone or the voice stream
// was not measured, it promises only what was.
func Headline(r *report.Report, lang phrase.Lang) string {
	text, _ := HeadlineText(HeadlineKey(r), lang)
	return text
}

// HeadlineText returns the headline of a key of HeadlineKey. It is not ok for a key
// of another version of this program.
func HeadlineText(key string, lang phrase.Lang) (text string, ok bool) {
	b := book(lang)
	return b.T("verdict." + key), b.Has("verdict." + key)
}

// ofComputer returns the suffix of the headline if only the computer itself was tested,
// which proves nothing about being heard; "" otherwise.
func ofComputer(r *report.Report) string {
	unread, looked := false, false
	for _, p := range r.Probes {
		if p.Status == report.StatusSkipped {
			continue
		}
		if !strings.HasPrefix(p.Name, "host.") {
			return ""
		}
		standing := Standing(p)
		looked = looked || standing != report.StatusUnknown
		unread = unread || standing == report.StatusUnknown || standing == StandingPartial
	}
	switch {
	case !looked:
		return ""
	case len(r.Causes) > 0:
		return "_computer_noticed"
	case unread:
		return "_computer_partly"
	}
	return "_computer_fine"
}

// HeadlineKey returns the key of the headline of a report, independent of the language,
// so that it can be stored. A key that is a verdict means that nothing was omitted.
func HeadlineKey(r *report.Report) string {
	c, _ := r.Primary()
	primary, _ := Lookup(c.Code) // an unknown cause is of a newer version
	switch {
	case primary.unheard && r.Verdict == report.NotReady && c.Severity == report.SeverityFail:
		return "not_ready_unheard"
	case primary.streamOnly && (r.Verdict == report.NotReady || r.Verdict == report.Limited):
		return string(r.Verdict) + "_stream"
	}
	switch r.Verdict {
	case report.Ready, report.Limited:
	case report.NotReady:
		return string(r.Verdict)
	default:
		return string(report.Unknown) + ofComputer(r)
	}
	key := string(r.Verdict)
	microphone := hasFinding(r, report.ProbeAudioInput)
	line := hasFinding(r, report.ProbeMediaVoice)
	if primary.otherTested && line {
		return key + "_other_microphone"
	}
	switch {
	case !microphone && !line && r.Verdict == report.Limited:
		key += "_untested"
	case !microphone && !line && !hasFinding(r, report.ProbeNetworkWeb) && !hasFinding(r, report.ProbeNAT):
		key += "_load_only" // any other result that can be ready has more information
	case !microphone:
		key += "_line_only"
	case !line:
		key += "_microphone_only"
	}
	return key
}
