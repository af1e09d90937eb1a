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

// An open list requests only what has changed since the revision that it shows. The collector
// caches for each revision the order of the rows and a digest of each row, but not their content.
// The name of a revision is a hash, so that all pages that show the same share one entry. If a
// revision is no longer cached (the page was suspended, the collector was restarted, another
// collector responds), the page reloads completely.

// maxRememberedRows limits the rows of all cached revisions, which take about 6 MB.
const maxRememberedRows = 50_000

// digest is a truncated hash of a row, sufficient to detect a change.
type digest [8]byte

// keyed is an element of a page that is updated separately.
type keyed struct {
	id     string
	digest digest
}

// revision identifies the state of an open list, without its texts.
type revision struct {
	frame digest // of everything that is not updated separately
	parts []keyed
	rows  []keyed
}

func (r revision) weight() int { return 1 + len(r.parts) + len(r.rows) }

// name returns a hash of the revision.
func (r revision) name() string {
	h := sha256.New()
	h.Write(r.frame[:])
	for _, list := range [][]keyed{r.parts, r.rows} {
		for _, k := range list {
			// The length makes ("ab", "c") and ("a", "bc") different.
			_, _ = fmt.Fprintf(h, "%d %s%s", len(k.id), k.id, k.digest[:])
		}
		h.Write([]byte{'|'})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

// digestOf ignores relative times (when.Ago), which change every minute: the page updates them
// itself.
func digestOf(content any) (digest, error) {
	b, err := json.Marshal(content)
	if err != nil {
		return digest{}, fmt.Errorf("digest of %T: %w", content, err)
	}
	sum := sha256.Sum256(b)
	return digest(sum[:len(digest{})]), nil
}

// revision returns the revision that p shows.
func (p listPage) revision(lang string) (revision, error) {
	frame := struct {
		Lang, Search, Show string
		Orders             []order
		Similar, Empty     bool
		Filters            []string
		Choices            []choice
	}{Lang: lang, Search: p.Search, Show: p.Show, Orders: p.Orders, Choices: p.Choices, Similar: p.Similar, Empty: len(p.Rows) == 0}
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
	add(&all.parts, p.Common.ElementID(), p.Common)
	for _, r := range p.Rows {
		add(&all.rows, r.ElementID(), r)
	}
	var problem error
	all.frame, problem = digestOf(frame)
	return all, errors.Join(err, problem)
}

// place is the position of a changed or new row.
type place struct {
	index int    // among the new rows
	after string // id of the row before it; "" for the first
}

// difference returns the changes from old to next: the rows to remove, and the positions of rows to
// insert, in this order. ok is false if unchanged rows have been reordered, which none of the sort
// orders does.
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

// changes is the response to an open list. It turns the list into the one that a new request would
// return.
type changes struct {
	// Whole tells the page to reload completely. Nothing else is set then.
	Whole    bool      `json:"whole,omitempty"`
	Revision string    `json:"revision,omitempty"`
	Now      string    `json:"now,omitempty"` // RFC 3339, the reference of relative times
	Gone     []string  `json:"gone,omitempty"`
	Rows     []changed `json:"rows,omitempty"`
	Parts    []changed `json:"parts,omitempty"`
}

// changed is the new version of an element. A row moves behind the row After; a part keeps its
// place.
type changed struct {
	ID    string `json:"id"`
	After string `json:"after,omitempty"`
	HTML  string `json:"html"`
}

// sinceParam is the query parameter with the revision that a page shows.
const sinceParam = "since"

// listChanges responds to an open list with fragments from the templates of the page.
func (s *site) listChanges(w http.ResponseWriter, r *http.Request) error {
	answer, err := s.changesSince(r, r.URL.Query().Get(sinceParam))
	if err != nil {
		return err
	}
	return writeFragments(w, answer)
}

// writeFragments answers with HTML in JSON.
func writeFragments(w http.ResponseWriter, answer any) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // escaping makes tags much longer and is not needed: nosniff is set
	_ = encoder.Encode(answer)   // the client may have gone
	return nil
}

func (s *site) changesSince(r *http.Request, since string) (changes, error) {
	old, ok := s.revisions.get(since)
	if !ok {
		return changes{Whole: true}, nil
	}
	a := parseListQuery(r)
	v := s.view(r)
	shown, err := s.currentWindow(r.Context(), a, v)
	if errors.Is(err, store.ErrBadCursor) {
		return changes{Whole: true}, nil
	}
	if err != nil {
		return changes{}, err
	}
	body, err := s.listed(r.Context(), a, v, shown)
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
		switch k.id {
		case pagerID:
			part.HTML = render("pager", body.Pager)
		case commonID:
			part.HTML = render("common", body.Common)
		default:
			part.HTML = render("filter", body.Filters[i])
		}
		answer.Parts = append(answer.Parts, part)
	}
	return answer, err
}
