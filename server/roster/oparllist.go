package roster

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
)

// Limits of an OParl server.
const (
	maxPages   = 2_000
	maxObjects = 100_000
	maxValues  = 5_000_000 // that are kept in memory
)

// list reads a list of objects: at an address with pages, or embedded. Deleted objects are
// included, so that the caller can tell them from unknown ones.
func (r *oparlReader) list(ctx context.Context, owner object, base *url.URL, key string) ([]object, error) {
	link, external := owner[key].(string)
	if !external {
		return embeddedList(owner, key), nil
	}
	u, err := r.fetch.resolve(base, link)
	if err != nil {
		return nil, err
	}
	var all []object
	known, pages := map[string]bool{}, map[string]bool{}
	listed, announced := 0, pagination{}
	for {
		pages[u.String()] = true
		page, err := r.document(ctx, u)
		if err != nil {
			return nil, err
		}
		fresh, objects := 0, page.references("data")
		listed += len(objects)
		if page["data"] == nil && page.link("id") != "" { // one object instead of a list
			objects = []reference{{page.link("id"), page}}
		}
		for _, one := range objects {
			o := one.embedded
			if o == nil {
				o = object{"id": one.id, referenceOnly: true}
			}
			if one.id != "" {
				one.id = r.key(u, one.id)
				if known[one.id] {
					continue
				}
				known[one.id] = true
			}
			fresh++
			all = append(all, o)
		}
		if r.objects += fresh; r.objects > maxObjects {
			return nil, fmt.Errorf("the source is %w: it lists more than %d objects", ErrTooLarge, maxObjects)
		}
		links, _ := page["links"].(map[string]any)
		if _, ok := page["pagination"].(map[string]any); ok { // some servers announce it on the first page only
			announced = paginationOf(page)
		}
		total := announced.total
		next := object(links).link("next")
		if next == "" {
			switch {
			case announced.cutOff(listed, len(objects), len(pages)):
				r.cutOff(key, "The list %.100q ends after %d of %d objects.", key, listed, max(total, listed))
			case listed < total:
				r.roster.note("The list %.100q announces %d objects, but ends with %d: its count is wrong.", key, total, listed)
			}
			return all, nil
		}
		following, err := r.fetch.resolve(u, next)
		if err != nil {
			return nil, err
		}
		switch {
		case len(objects) == 0 && total <= len(all): // some servers link to pages behind the last one
			return all, nil
		case pages[following.String()] || fresh == 0:
			if total == 0 || len(all) < total {
				r.cutOff(key, "The list %.100q repeats itself after %d pages: the rest of it could not be read.", key, len(pages))
			} else {
				r.roster.note("The list %.100q repeats itself after its end.", key)
			}
			return all, nil
		case len(pages) >= maxPages:
			return nil, fmt.Errorf("the source is %w: its list %q has more than %d pages", ErrTooLarge, key, maxPages)
		}
		u = following
	}
}

// pagination is what a page says about its list; 0 for what it does not say.
type pagination struct{ total, perPage, pages int }

func paginationOf(page object) (p pagination) {
	if o, ok := page["pagination"].(map[string]any); ok {
		p.total, _ = strconv.Atoi(object(o).text("totalElements"))
		p.perPage, _ = strconv.Atoi(object(o).text("elementsPerPage"))
		p.pages, _ = strconv.Atoi(object(o).text("totalPages"))
	}
	return p
}

// cutOff reports whether a list goes on after a page that has no next one. In OParl 1.1 next
// is mandatory on all pages but the last, and all of pagination is optional; the number of objects may change,
// and some servers count objects that they do not list. So a larger number alone is no evidence, but it is for an
// empty list or last page, for fewer pages than there are, and if the last page is as full as the others.
func (p pagination) cutOff(listed, onLast, read int) bool {
	switch {
	case listed == 0:
		return p.total > 0
	case p.pages > 0:
		return read < p.pages
	case onLast == 0:
		return listed < p.total
	}
	return listed < p.total && p.perPage > 0 && onLast >= p.perPage
}

// cutOff notes that a list could not be read completely. Persons whom their list lacks are requested one
// by one, so without the memberships of organizations only is something missing.
func (r *oparlReader) cutOff(key, format string, args ...any) {
	if key == personList {
		r.personsCutOff = true
		r.roster.note(format, args...)
		return
	}
	r.roster.missing(format, args...)
}

// personList is the key of the list of persons.
const personList = "person"

// referenceOnly marks an object of which only the address is known.
const referenceOnly = "\x00reference"

func embeddedList(owner object, key string) []object {
	var all []object
	for _, one := range owner.references(key) {
		switch {
		case one.embedded != nil:
			all = append(all, one.embedded)
		case one.id != "":
			all = append(all, object{"id": one.id, referenceOnly: true})
		}
	}
	return all
}

// fullObject returns an object, requesting it if only its address is known.
func (r *oparlReader) fullObject(ctx context.Context, base *url.URL, o object) (object, error) {
	if o[referenceOnly] != true {
		return o, nil
	}
	return r.request(ctx, base, o.link("id"))
}

// request requests one object. Each is requested once.
func (r *oparlReader) request(ctx context.Context, base *url.URL, id string) (object, error) {
	key := r.key(base, id)
	if o, ok := r.requested[key]; ok {
		return o, nil
	}
	u, err := r.fetch.resolve(base, id)
	if err != nil {
		return nil, err
	}
	o, err := r.document(ctx, u)
	if err != nil {
		return nil, err
	}
	r.requested[key] = o
	return o, nil
}

// document requests and parses one document.
func (r *oparlReader) document(ctx context.Context, u *url.URL) (object, error) {
	b, err := r.fetch.get(ctx, u, "application/json")
	if err != nil {
		return nil, err
	}
	o, err := parseObject(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u.Redacted(), err)
	}
	if r.values += keep(map[string]any(o)); r.values > maxValues {
		return nil, fmt.Errorf("the source is %w: it has more than %d values", ErrTooLarge, maxValues)
	}
	return o, nil
}

// key returns the form of an address by which objects are compared.
func (r *oparlReader) key(base *url.URL, id string) string {
	if u, err := r.fetch.resolve(base, id); err == nil {
		return u.String()
	}
	return id
}
