package diagnose

import (
	"io/fs"
	"maps"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Glossary holds the described probes and the names that people read of them, of
// their fields and of their values. It does not change. The zero value holds the
// probes and the texts of this version.
type Glossary struct {
	probes report.Probes
	added  map[phrase.Lang][]*phrase.Book
}

// With returns the glossary with further probes and with their texts, which texts
// holds as "<lang>.toml" in every language.
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

// In returns the glossary in one language, in English for one that there is no
// text in.
func (g Glossary) In(lang phrase.Lang) Terms {
	b := book(lang)
	return Terms{probes: g.probes, books: append([]*phrase.Book{b}, g.added[b.Lang()]...), lang: lang}
}

// Terms is a Glossary in one language.
type Terms struct {
	probes report.Probes
	books  []*phrase.Book // the one of this version first
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

// Field returns the name of a probe's field; the field's own name where there is
// no text.
func (t Terms) Field(probe, field string) string {
	key := "field." + probe + "." + field
	if p, ok := t.probes.Find(probe); ok {
		if f, ok := p.Field(field); ok {
			key = f.LabelKey
		}
	}
	return t.label(key, field)
}

// Endpoint returns the name of a server; "" for EndpointNone and for one that this
// version does not know.
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
