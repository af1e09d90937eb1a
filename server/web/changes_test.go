package web

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// applied applies changes to a list as the page does to its rows.
func applied(list []keyed, next []keyed, gone []string, places []place) []keyed {
	list = slices.Clone(list)
	drop := func(id string) {
		list = slices.DeleteFunc(list, func(k keyed) bool { return k.id == id })
	}
	for _, id := range gone {
		drop(id)
	}
	for _, p := range places {
		row := next[p.index]
		drop(row.id)
		at := slices.IndexFunc(list, func(k keyed) bool { return k.id == p.after }) + 1
		list = slices.Insert(list, at, row)
	}
	return list
}

// TestDifference changes, moves, adds and removes rows at random. A row moves
// only with a change, as in every order of the list.
func TestDifference(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var list []keyed
	fresh := 0
	for round := range 3000 {
		next := slices.Clone(list)
		touched := 0
		for range random.IntN(4) {
			touched++
			switch n := len(next); {
			case n == 0 || random.IntN(4) == 0:
				fresh++
				next = slices.Insert(next, random.IntN(n+1), keyed{id: fmt.Sprint(fresh)})
			case random.IntN(3) == 0:
				i := random.IntN(n)
				next = slices.Delete(next, i, i+1)
			default:
				i := random.IntN(n)
				row := next[i]
				row.digest[round%8]++
				next = slices.Delete(next, i, i+1)
				next = slices.Insert(next, random.IntN(n), row)
			}
		}
		gone, places, ok := difference(list, next)
		if got := applied(list, next, gone, places); !ok || !slices.Equal(got, next) {
			t.Fatalf("%v to %v: got gone %v, places %v, ok %v, result %v; want true, %v", list, next, gone, places, ok, got, next)
		}
		if len(gone)+len(places) > touched {
			t.Fatalf("got %d changed rows, but %d gone and %d placed, want no more of both", touched, len(gone), len(places))
		}
		list = next
	}
}

func TestDifferenceKnowsWhatItCannotDescribe(t *testing.T) {
	a, b, c := keyed{id: "a"}, keyed{id: "b"}, keyed{id: "c"}
	if _, _, ok := difference([]keyed{a, b, c}, []keyed{b, a, c}); ok {
		t.Error("got places for rows that moved without a change")
	}
	if gone, places, ok := difference([]keyed{a, b, c}, []keyed{a, b, c}); !ok || len(gone)+len(places) > 0 {
		t.Errorf("no change: got %v %v %v; want no difference", gone, places, ok)
	}
}

func TestRevisionsAreNamedByTheirContent(t *testing.T) {
	base := revision{rows: []keyed{{id: "a"}, {id: "b"}}}
	for what, other := range map[string]revision{
		"order":          {rows: []keyed{{id: "b"}, {id: "a"}}},
		"a row less":     {rows: []keyed{{id: "a"}}},
		"a digest":       {rows: []keyed{{id: "a", digest: digest{1}}, {id: "b"}}},
		"rows as parts":  {parts: []keyed{{id: "a"}, {id: "b"}}},
		"split of ids":   {rows: []keyed{{id: "ab"}}},
		"frame":          {frame: digest{1}, rows: base.rows},
		"part of a part": {parts: []keyed{{id: "a"}}, rows: []keyed{{id: "b"}}},
	} {
		if other.name() == base.name() {
			t.Errorf("%s: want another digest", what)
		}
	}
	if (revision{rows: slices.Clone(base.rows)}).name() != base.name() {
		t.Error("the same content has two digests")
	}
}

func TestRecentForgetsWhatWasUsedLeast(t *testing.T) {
	c := newRecent[string](10, func(n int) int { return n })
	c.put("a", 4)
	c.put("b", 4)
	c.get("a")
	c.put("c", 4)
	if _, ok := c.get("b"); ok {
		t.Error("b was used least recently and is still there")
	}
	for _, key := range []string{"a", "c"} {
		if _, ok := c.get(key); !ok {
			t.Errorf("%s was removed", key)
		}
	}
	c.put("a", 2) // replaced, not added
	c.put("d", 4)
	if _, ok := c.get("c"); !ok || c.held != 10 {
		t.Errorf("got size %d, want c kept and size 10", c.held)
	}
	c.put("too heavy", 11)
	if c.held != 0 || len(c.byKey) != 0 {
		t.Errorf("got size %d of %d, want an empty cache", c.held, c.most)
	}
}
