package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// An open list asks only for what has changed since the revision it shows. The
// collector remembers of each revision which rows there were, in which order,
// and a digest of each, but not what stood in them. A revision is named by its
// content, so that all pages that show the same share one entry. Where it is
// not remembered any more (the page was away too long, the collector was started
// again, another collector answers) the page loads itself as a whole.

// maxRememberedRows bounds all remembered revisions together: some 6 MB.
const maxRememberedRows = 50_000

// digest is of the content of a row: enough to tell that it has changed.
type digest [8]byte

// keyed is one element of a page that can change by itself.
type keyed struct {
	id     string
	digest digest
}

// revision is what an open list shows, without its texts.
type revision struct {
	frame digest // of all that has no key
	parts []keyed
	rows  []keyed
}

func (r revision) weight() int { return 1 + len(r.parts) + len(r.rows) }

// name tells revisions apart by their content.
func (r revision) name() string {
	h := sha256.New()
	h.Write(r.frame[:])
	for _, list := range [][]keyed{r.parts, r.rows} {
		for _, k := range list {
			// The lengths keep ("ab", "c") and ("a", "bc") apart.
			_, _ = fmt.Fprintf(h, "%d %s%s", len(k.id), k.id, k.digest[:])
		}
		h.Write([]byte{'|'})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

// digestOf leaves out how long ago something was (when.Ago): that changes each
// minute, and the page counts it on by itself.
func digestOf(content any) (digest, error) {
	b, err := json.Marshal(content)
	if err != nil {
		return digest{}, fmt.Errorf("digest of %T: %w", content, err)
	}
	sum := sha256.Sum256(b)
	return digest(sum[:len(digest{})]), nil
}

// revision gives what p shows.
func (p listPage) revision(lang string) (revision, error) {
	frame := struct {
		Lang, Search, Show string
		Orders             []order
		Similar, Empty     bool
		Filters            []string
	}{Lang: lang, Search: p.Search, Show: p.Show, Orders: p.Orders, Similar: p.Similar, Empty: len(p.Rows) == 0}
	var all revision
	var err error
	add := func(to *[]keyed, id string, content any) {
		d, problem := digestOf(content)
		err = errors.Join(err, problem)
		*to = append(*to, keyed{id, d})
	}
	for _, f := range p.Filters {
		frame.Filters = append(frame.Filters, f.Show)
		add(&all.parts, f.ElementID(), f)
	}
	add(&all.parts, pagerID, p.Pager)
	for _, r := range p.Rows {
		add(&all.rows, r.ElementID(), r)
	}
	var problem error
	all.frame, problem = digestOf(frame)
	return all, errors.Join(err, problem)
}

// place is where a changed or new row belongs.
type place struct {
	index int    // among the new rows
	after string // id of the row before it; "" for the first
}

// difference says what turns old into new: which rows go, and which are to be
// put where, one after the other in this order. It is not ok where rows have
// changed places without a change of their own; none of the orders does that.
func difference(old, next []keyed) (gone []string, places []place, ok bool) {
	before := make(map[string]digest, len(old))
	for _, k := range old {
		before[k.id] = k.digest
	}
	same := make(map[string]bool, len(next))
	var stay []string
	after := ""
	for i, k := range next {
		if d, was := before[k.id]; was && d == k.digest {
			stay = append(stay, k.id)
		} else {
			places = append(places, place{index: i, after: after})
		}
		same[k.id] = true
		after = k.id
	}
	for _, k := range old {
		switch {
		case !same[k.id]:
			gone = append(gone, k.id)
		case len(stay) > 0 && stay[0] == k.id:
			stay = stay[1:]
		}
	}
	return gone, places, len(stay) == 0
}

// changes is the answer to an open list. Without Whole it makes the list the
// page that a new request would show.
type changes struct {
	// Whole asks the page to load itself as a whole; nothing else is set then.
	Whole    bool      `json:"whole,omitempty"`
	Revision string    `json:"revision,omitempty"`
	Now      string    `json:"now,omitempty"` // RFC 3339, for how long ago things were
	Gone     []string  `json:"gone,omitempty"`
	Rows     []changed `json:"rows,omitempty"`
	Parts    []changed `json:"parts,omitempty"`
}

// changed is an element as it is now. A row is taken from where it was and put
// behind another; a part stays where it is.
type changed struct {
	ID    string `json:"id"`
	After string `json:"after,omitempty"`
	HTML  string `json:"html"`
}

// sinceParam names the revision that a page shows.
const sinceParam = "since"

// listChanges answers an open list. The answer holds the same fragments as the
// page, by the same templates.
func (s *site) listChanges(w http.ResponseWriter, r *http.Request) error {
	answer, err := s.changesSince(r, r.URL.Query().Get(sinceParam))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // would make each tag six times as long; nosniff is set
	_ = encoder.Encode(answer)   // whoever asked may have gone
	return nil
}

func (s *site) changesSince(r *http.Request, since string) (changes, error) {
	old, ok := s.revisions.get(since)
	if !ok {
		return changes{Whole: true}, nil
	}
	a := askedBy(r)
	// A case code that has come in meanwhile leads to the case, as in a new search.
	if address, err := s.caseAddress(r, a.search); err != nil || address != "" {
		return changes{Whole: true}, err
	}
	v := s.view(r)
	body, err := s.listed(r, a, v)
	if errors.Is(err, store.ErrBadCursor) {
		return changes{Whole: true}, nil
	}
	if err != nil {
		return changes{}, err
	}
	next, err := body.revision(string(v.lang))
	if err != nil {
		return changes{}, err
	}
	gone, places, ok := difference(old.rows, next.rows)
	if !ok || old.frame != next.frame {
		return changes{Whole: true}, nil
	}
	answer := changes{Revision: next.name(), Now: v.now.UTC().Format(time.RFC3339Nano), Gone: gone}
	s.revisions.put(answer.Revision, next)
	render := func(name string, content any) (html string) {
		var b bytes.Buffer
		err = errors.Join(err, s.pages[v.lang]["list"].ExecuteTemplate(&b, name, content))
		return b.String()
	}
	for _, p := range places {
		answer.Rows = append(answer.Rows, changed{ID: next.rows[p.index].id, After: p.after, HTML: render("row", body.Rows[p.index])})
	}
	for i, k := range next.parts {
		if slices.Contains(old.parts, k) {
			continue
		}
		part := changed{ID: k.id}
		if k.id == pagerID {
			part.HTML = render("pager", body.Pager)
		} else {
			part.HTML = render("filter", body.Filters[i])
		}
		answer.Parts = append(answer.Parts, part)
	}
	return answer, err
}
