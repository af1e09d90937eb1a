package diagnose

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// Figure is a measured value for display.
type Figure struct {
	Name string
	// Value is "" if nothing was measured.
	Value string
	// Unknown means that the value is inconclusive, so that it must not look good.
	Unknown bool
}

// Figures returns the values of a result that people see at a place, in order; nil if
// the result has no data or no description.
func (t Terms) Figures(r report.Result, at report.Place) []Figure {
	p, ok := t.probes.Find(r.Name)
	values := fieldValues(r.Data)
	if !ok || values == nil {
		return nil
	}
	return t.figures([]Figure{}, p.Shown(at), values, at)
}

func (t Terms) figures(all []Figure, fields []report.Field, values map[string]any, at report.Place) []Figure {
	for _, f := range fields {
		name, v := t.label(f.LabelKey, f.Name), values[f.Name]
		inner, isGroup := v.(map[string]any)
		entries, _ := v.([]any)
		switch {
		case f.Kind == report.KindGroup && isGroup:
			all = t.figures(all, shownOf(f, at), inner, at)
		case f.Kind == report.KindList && len(entries) > 0:
			for _, e := range entries {
				entry, _ := e.(map[string]any)
				all = append(all, Figure{Name: name, Value: t.entry(t.figures(nil, shownOf(f, at), entry, at))})
			}
		case (v == nil || v == "") && f.AbsentIsNothing():
		case v == nil || v == "" || f.Kind == report.KindGroup || f.Kind == report.KindList:
			all = append(all, Figure{Name: name, Unknown: true})
		case f.Kind == report.KindInterval && len(entries) == 2:
			all = append(all, Figure{Name: name, Value: t.Value(entries[0], "") + "–" + t.Value(entries[1], f.Unit)})
		case f.IsHost():
			all = append(all, Figure{Name: name, Value: origin.Display(v.(string))})
		case f.IsAddress():
			all = append(all, Figure{Name: name, Value: v.(string)}) // the method Value removes addresses
		default:
			all = append(all, Figure{Name: name, Value: t.valueOf(f.Name, v, f.Unit), Unknown: v == string(report.ReachNotTested)})
		}
	}
	return all
}

func shownOf(f report.Field, at report.Place) (shown []report.Field) {
	for _, inner := range f.Fields {
		if inner.ShownAt(at) {
			shown = append(shown, inner)
		}
	}
	return shown
}

// entry returns an entry of a list in one line. Values that were not measured are
// omitted.
func (t Terms) entry(figures []Figure) string {
	var parts []string
	for _, f := range figures {
		if f.Value != "" {
			parts = append(parts, f.Name+" "+f.Value)
		}
	}
	return strings.Join(parts, ", ")
}

// MediaPaths returns the transport paths for sound and pictures as figures, for the probe
// that measures most of them; nil for any other.
func (t Terms) MediaPaths(r *report.Report, probe string) (list []Figure) {
	if probe != report.ProbeNATTURN {
		return nil
	}
	for _, w := range MediaPaths(r) {
		list = append(list, Figure{Name: w.Name(t.lang), Value: w.StateText(t.lang), Unknown: !w.Tested()})
	}
	return list
}

// Summary returns sentences about the measured fields that are shown with the verdict.
// A sentence of the texts is used if all fields in it were measured; other fields are
// shown by name and value.
func (t Terms) Summary(r *report.Report) (sentences []string) {
	for _, result := range r.Probes {
		p, ok := t.probes.Find(result.Name)
		values := fieldValues(result.Data)
		if !ok || values == nil {
			continue
		}
		measured := map[string]string{}
		var args []any
		for _, f := range p.Shown(report.Summary) {
			if v := values[f.Name]; v != nil && v != "" {
				measured[f.Name] = t.summaryValue(v, f.Unit)
				args = append(args, f.Name, measured[f.Name])
			}
		}
		var named []string
		for _, b := range t.books {
			for _, key := range b.Keys() {
				if !strings.HasPrefix(key, "summary."+p.Name+".") {
					continue
				}
				fields := b.Placeholders(key)
				named = append(named, fields...)
				if !slices.ContainsFunc(fields, func(name string) bool { return measured[name] == "" }) {
					sentences = append(sentences, b.T(key, args...))
				}
			}
		}
		for _, f := range p.Shown(report.Summary) {
			if measured[f.Name] != "" && !slices.Contains(named, f.Name) {
				sentences = append(sentences, t.label(f.LabelKey, f.Name)+": "+measured[f.Name])
			}
		}
	}
	return sentences
}

// summaryValue formats a rate in Mbit/s with one decimal, as providers do; measurements
// differ by more than that.
func (t Terms) summaryValue(v any, unit string) string {
	if kbps, ok := v.(float64); ok && unit == "kbit/s" {
		return t.Value(math.Round(kbps/100)/10, "Mbit/s")
	}
	return t.Value(v, unit)
}

// Value formats a value of a report: "ja", "−12,5 dB".
func (t Terms) Value(value any, unit string) string {
	text := ""
	switch v := value.(type) {
	case nil:
		return t.label("word.not_measured", "")
	case bool:
		return t.label(map[bool]string{true: "word.yes", false: "word.no"}[v], "")
	case string:
		text = t.word(v)
	case float64:
		text = numberText(v, t.lang)
	case int:
		text = strconv.Itoa(v)
	default:
		text = report.CleanText(fmt.Sprint(v))
	}
	if unit == "" {
		return text
	}
	return text + "\u00a0" + unit
}

// valueOf is Value for a value of a field. A word may mean something else in some fields: tcp is a
// protocol or a stage, tls a protocol or a fault. Such fields are told by the last word of their
// names.
func (t Terms) valueOf(field string, value any, unit string) string {
	if word, ok := value.(string); ok {
		if text, ok := t.text("value_of." + field[strings.LastIndexAny(field, "._")+1:] + "." + word); ok {
			return text
		}
	}
	return t.Value(value, unit)
}

// word formats a text of a report: a word of a closed list in the person's language, a
// time in the zone of this machine.
func (t Terms) word(v string) string {
	at, err := time.Parse(time.RFC3339, v)
	if err != nil {
		return t.label("value."+v, v)
	}
	form := "2006-01-02 15:04:05"
	if t.lang == phrase.DE {
		form = "02.01.2006 15:04:05"
	}
	return at.Local().Format(form)
}

// Evidence formats one piece of evidence: "Lautstärke im System: -60 dB (Grenze: <
// -20)".
func (t Terms) Evidence(e report.Evidence) string {
	line := t.Field(e.Probe, e.Field) + ": " + t.valueOf(e.Field, e.Value, e.Unit)
	if e.Limit == "" {
		return line
	}
	limit := report.CleanText(e.Limit)
	if t.lang == phrase.DE {
		limit = strings.ReplaceAll(limit, ".", ",")
	}
	return line + " (" + t.label("word.limit", "") + ": " + limit + ")"
}

// fieldValues returns the fields of a probe's data by their names in the report; nil
// without data.
func fieldValues(d report.Data) map[string]any {
	if d == nil {
		return nil
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return nil // NaN or infinite: such a report does not validate either
	}
	var values map[string]any
	if json.Unmarshal(raw, &values) != nil {
		return nil
	}
	return values
}

// numberText formats v with at most two decimals, with none from a thousand on, and
// with a decimal comma in German.
func numberText(v float64, lang phrase.Lang) string {
	s := decimal(math.Round(v*100) / 100)
	if math.Abs(v) >= 1000 {
		s = decimal(math.Round(v))
	}
	if lang == phrase.DE {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}
