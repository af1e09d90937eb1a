package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// SimilarStates implements store.Participants. It reads the participants who have one
// half of one of the words, or of the case code: one wrong letter leaves the other half
// intact.
func (s *Store) SimilarStates(ctx context.Context, search string, limit int) ([]store.ParticipantState, error) {
	words := strings.Fields(foldUmlauts(store.NameKey(search)))
	if len(words) == 0 {
		return nil, nil
	}
	found, err := s.similarNames(ctx, words)
	if err != nil {
		return nil, fmt.Errorf("look for similar names: %w", err)
	}
	if code, ok := report.SpokenCase(search); ok {
		cases, err := s.similarCases(ctx, code)
		if err != nil {
			return nil, fmt.Errorf("look for similar case codes: %w", err)
		}
		found = append(found, cases...)
	}
	slices.SortFunc(found, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.nameKey, b.nameKey), cmp.Compare(a.id, b.id)) })
	found = slices.CompactFunc(found, func(a, b candidate) bool { return a.id == b.id })
	var list []store.ParticipantState
	for _, c := range found[:min(limit, len(found))] {
		p, err := s.ParticipantState(ctx, c.id)
		if errors.Is(err, store.ErrNotFound) { // deleted in the meantime
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// NamesMatch implements store.Participants. Too many candidates count as a match.
func (s *Store) NamesMatch(ctx context.Context, search string) (bool, error) {
	words := readSearch(search).words
	letters := func(word string) int { return utf8.RuneCountInString(word) }
	if !slices.ContainsFunc(words, func(w string) bool { return letters(w) > 1 }) {
		return false, nil
	}
	list, ok, err := s.named(ctx, words)
	if err != nil {
		return false, fmt.Errorf("look for names: %w", err)
	}
	begins := func(c candidate) bool {
		name := strings.Fields(c.words)
		return !slices.ContainsFunc(words, func(w string) bool {
			return letters(w) == 1 && !slices.ContainsFunc(name, func(n string) bool { return strings.HasPrefix(n, w) })
		})
	}
	if !ok || slices.ContainsFunc(list, begins) {
		return true, nil
	}
	found, err := s.similarNames(ctx, words)
	if err != nil {
		return false, fmt.Errorf("look for similar names: %w", err)
	}
	return len(found) > 0, nil
}

func (s *Store) similarNames(ctx context.Context, words []string) (found []candidate, err error) {
	fewest, least := []part(nil), math.MaxInt
	for _, word := range words {
		n, parts := 0, partsOfSimilar(word)
		for _, p := range parts {
			some, err := s.count(ctx, p, s.limits.candidates+1)
			if err != nil {
				return nil, err
			}
			n += some
		}
		if n < least {
			fewest, least = parts, n
		}
	}
	for _, p := range fewest {
		list, err := s.candidates(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if alike(words, strings.Fields(c.words)) {
				found = append(found, c)
			}
		}
	}
	return found, nil
}

// partsOfSimilar returns parts of which each word that resembles this one has at least
// one.
func partsOfSimilar(word string) []part {
	letters := []rune(word)
	if len(letters) <= maxExactLetters {
		return []part{{kindName, word, 0, 0}}
	}
	half := len(letters) / 2
	exchanged := slices.Clone(letters[:half+1])
	exchanged[half-1], exchanged[half] = exchanged[half], exchanged[half-1]
	return []part{
		{kindName, string(letters[:half]), 0, 0},
		{kindName, string(letters[half:]), half - 1, half + 1}, // if a letter before it is missing or added
		{kindName, string(exchanged), 0, 0},                    // if two letters around the middle are exchanged
	}
}

// maxExactLetters is the length up to which words must match exactly: otherwise half of
// all names would resemble them.
const maxExactLetters = 3

// alike reports whether each word of a search is a word of the name or the beginning of
// one, with at most one wrong letter.
func alike(words, name []string) bool {
	for _, w := range words {
		letters := []rune(w)
		if !slices.ContainsFunc(name, func(n string) bool {
			return strings.HasPrefix(n, w) || len(letters) > maxExactLetters && (oneOff(w, n) || oneOff(w, prefix(n, len(letters))))
		}) {
			return false
		}
	}
	return true
}

func prefix(s string, n int) string {
	r := []rune(s)
	return string(r[:min(n, len(r))])
}

// oneOff reports whether a becomes b by at most one letter that is wrong, missing
// or too many, or by two that are exchanged (Damerau).
func oneOff(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > 1 {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	if len(x) < len(y) {
		return slices.Equal(x[i:], y[i+1:])
	}
	if i == len(x) || slices.Equal(x[i+1:], y[i+1:]) {
		return true
	}
	return i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && slices.Equal(x[i+2:], y[i+2:])
}
