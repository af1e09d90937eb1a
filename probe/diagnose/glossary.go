package diagnose

import (
	"io/fs"
	"maps"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Glossary contains the described probes and the display names of the probes, their
// fields and their values. It is immutable. The zero value contains those of this
// version.
type Glossary struct {
	probes report.Probes
	added  map[phrase.Lang][]*phrase.Book
}

// With returns the glossary with further probes and their texts, which are
// "<lang>.toml" in texts for every language.
func (g Glossary) With(texts fs.FS, probes ...report.Probe) (Glossary, error) {
	all, err := g.probes.With(probes...)
	if err != nil {
		return Glossary{}, err
	}
	added := maps.Clone(g.added)
	if added == nil {
		added = map[phrase.Lang][]*phrase.Book{}
	}
	for _, lang := range phrase.Langs() {
		b, err := phrase.Load(texts, lang)
		if err != nil {
			return Glossary{}, err
		}
		added[lang] = append(added[lang][:len(added[lang]):len(added[lang])], b)
	}
	return Glossary{all, added}, nil
}

// Probes returns the described probes.
func (g Glossary) Probes() report.Probes { return g.probes }

// In returns the glossary in one language, or in English if there are no texts in it.
func (g Glossary) In(lang phrase.Lang) Terms {
	b := book(lang)
	return Terms{probes: g.probes, books: append([]*phrase.Book{b}, g.added[b.Lang()]...), lang: lang}
}

// Terms is a Glossary in one language.
type Terms struct {
	probes report.Probes
	books  []*phrase.Book // that of this version first
	lang   phrase.Lang
}

// Probes returns the described probes.
func (t Terms) Probes() report.Probes { return t.probes }

// text returns the text of a key, and whether there is one.
func (t Terms) text(key string) (string, bool) {
	for _, b := range t.books {
		if b.Has(key) {
			return b.T(key), true
		}
	}
	return "", false
}

// Probe returns the name of a probe, and whether there is one.
func (t Terms) Probe(name string) (string, bool) { return t.text("probe." + name + ".name") }

// BriefProbe returns the name of a probe in at most 12 letters, and whether there
// is one.
func (t Terms) BriefProbe(name string) (string, bool) { return t.text("probe." + name + ".brief") }

// Field returns the display name of a probe's field; without a text, the name in the
// report.
func (t Terms) Field(probe, field string) string {
	key := "field." + probe + "." + field
	if p, ok := t.probes.Find(probe); ok {
		if f, ok := p.Field(field); ok {
			key = f.LabelKey
		}
	}
	return t.label(key, field)
}

// Endpoint returns the display name of a server; "" for EndpointNone and for unknown
// ones.
func (t Terms) Endpoint(e report.Endpoint) string {
	name, _ := t.text("endpoint." + string(e))
	return name
}

func (t Terms) label(key, name string) string {
	if text, ok := t.text(key); ok {
		return text
	}
	return report.CleanText(name)
}
