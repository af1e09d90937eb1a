package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// leastDigits is the minimum number of digits of a search for a phone number.
const leastDigits = 3

// searchLimits limit the work of a search that uses an index.
type searchLimits struct {
	// candidates is the number of rows that are read for one word, and found the number
	// of participants up to which a list is read by their ids. Beyond these limits, the
	// rows of the list are compared in order: so many of them match that a page is soon
	// full.
	candidates, found int
}

var defaultSearchLimits = searchLimits{candidates: 4000, found: 1000}

// searched contains the interpretations of the text of a search.
type searched struct {
	words  []string // all must be parts of the name
	digits string   // part of a phone number; "" if it is none
	codes  []string // case codes that it may mean
	ends   string   // beginning or end of a case code, without the dash; "" if it is none
}

func readSearch(text string) (q searched) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' }) {
		q.words = append(q.words, foldUmlauts(store.NameKey(word)))
	}
	if digits, ok := store.PhonePart(text); ok && len(digits) >= leastDigits {
		q.digits = digits
	}
	// Some names read as a code as well ("Meyers"), so both are searched.
	if q.codes = report.SpokenCases(text); len(q.codes) > 0 {
		return q
	}
	if part, ok := report.SpokenPart(text); ok {
		q.ends = part
	}
	return q
}

// match is a condition for being in a list.
type match struct {
	condition string
	args      []any
	holds     func(stateRow) bool // the same condition for a row that was read; for parts of a list only
	ids       []string            // ids of the participants who meet it, in place of a condition
	nobody    bool                // nobody meets it
}

// match returns the condition that corresponds to a search.
func (s *Store) match(ctx context.Context, search string) (match, error) {
	q := readSearch(search)
	if len(q.words) == 0 { // only separators
		return match{nobody: true}, nil
	}
	ids, ok, err := s.find(ctx, q)
	switch {
	case err != nil:
		return match{}, fmt.Errorf("search: %w", err)
	case !ok:
		return s.compared(q), nil
	case len(ids) == 0:
		return match{nobody: true}, nil
	}
	return match{ids: ids}, nil
}

// find returns the ids of the participants that a search finds. ok is false if there are
// too many.
func (s *Store) find(ctx context.Context, q searched) (ids []string, ok bool, err error) {
	found := map[string]bool{}
	for _, by := range []func(context.Context, searched) ([]string, bool, error){s.byName, s.byPhone, s.byCase} {
		some, ok, err := by(ctx, q)
		if !ok || err != nil {
			return nil, false, err
		}
		for _, id := range some {
			found[id] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), len(found) <= s.limits.found, nil
}

func (s *Store) byName(ctx context.Context, q searched) (ids []string, ok bool, err error) {
	list, ok, err := s.named(ctx, q.words)
	for _, c := range list {
		ids = append(ids, c.id)
	}
	return ids, ok, err
}

// named returns the participants whose names contain all words. Some may occur twice. ok is false
// if there are too many.
func (s *Store) named(ctx context.Context, words []string) (found []candidate, ok bool, err error) {
	fewest := part{}
	least := s.limits.candidates + 1
	for _, word := range words {
		p := part{kindName, word, 0, math.MaxInt32}
		n, err := s.count(ctx, p, least)
		if err != nil {
			return nil, false, err
		}
		if n < least {
			fewest, least = p, n
		}
	}
	if least > s.limits.candidates {
		return nil, false, nil
	}
	list, err := s.candidates(ctx, fewest)
	for _, c := range list {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(c.words, w) }) {
			found = append(found, c)
		}
	}
	return found, true, err
}

func (s *Store) byPhone(ctx context.Context, q searched) (ids []string, ok bool, err error) {
	if q.digits == "" {
		return nil, true, nil
	}
	list, err := s.candidates(ctx, part{kindPhone, q.digits, 0, math.MaxInt32})
	for _, c := range list {
		if strings.Contains(c.phones, q.digits) {
			ids = append(ids, c.id)
		}
	}
	return ids, len(list) <= s.limits.candidates, err
}

// part is a key of search_parts: the beginning of a part, and from and to for the number
// of letters before the part in its word.
type part struct {
	kind, begins string
	from, to     int
}

// candidate is a participant who has a part.
type candidate struct{ id, nameKey, words, phones string }

// havingPart is the condition for the rows of a part.
const havingPart = `s.org_id = ? AND s.kind = ? AND s.part >= ? AND s.part < ? AND s.place BETWEEN ? AND ? LIMIT ?`

func (s *Store) havingPart(p part, limit int) []any {
	begins := firstLetters([]rune(p.begins), maxPartLetters)
	return []any{s.org, p.kind, begins, after(begins), p.from, p.to, limit}
}

// count returns the number of rows of a part, at most limit.
func (s *Store) count(ctx context.Context, p part, limit int) (n int, err error) {
	err = s.read.row(ctx, `SELECT count(*) FROM (SELECT 1 FROM search_parts s WHERE `+havingPart+`) AS few`, s.havingPart(p, limit)...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count a part: %w", err)
	}
	return n, nil
}

// candidates returns the participants who have a part. Some may occur twice. If there are
// more than the limit, it returns one more than the limit.
func (s *Store) candidates(ctx context.Context, p part) ([]candidate, error) {
	list, err := collect(ctx, s.read, func(row scanner) (c candidate, err error) { return c, row.Scan(&c.id, &c.nameKey, &c.words, &c.phones) }, `
		SELECT p.id, p.name_key, p.search_key, p.phone_key FROM search_parts s JOIN participants p ON p.id = s.participant_id
		WHERE `+havingPart, s.havingPart(p, s.limits.candidates+1)...)
	if err != nil {
		return nil, fmt.Errorf("look for a part: %w", err)
	}
	return list, nil
}

// after returns a text that sorts after every text with the prefix, in byte order.
func after(prefix string) string { return prefix + string(utf8.MaxRune) }

// compared returns the condition that compares all rows one by one.
func (s *Store) compared(q searched) match {
	var names []string
	var m match
	for _, word := range q.words {
		names = append(names, "p.search_key"+likeSearched)
		m.args = append(m.args, like(word))
	}
	any := []string{"(" + strings.Join(names, " AND ") + ")"}
	if q.digits != "" {
		any, m.args = append(any, "p.phone_key"+likeSearched), append(m.args, like(q.digits))
	}
	for _, c := range q.cases() {
		reports, args := s.reportsOfCase("r.participant_id", c)
		any, m.args = append(any, "p.id IN ("+reports+")"), append(m.args, args...)
	}
	m.condition = "(" + strings.Join(any, " OR ") + ")"
	return m
}

const likeSearched = ` LIKE ? ESCAPE '\'`

// foldUmlauts makes "mueller" and "muller" the same.
func foldUmlauts(key string) string {
	return strings.NewReplacer("ae", "a", "oe", "o", "ue", "u").Replace(key)
}

// like is the LIKE pattern (with ESCAPE '\') for a part of a text.
func like(part string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(part) + "%"
}
