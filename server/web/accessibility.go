package web

import (
	"net/http"
	"net/mail"
	"net/url"
)

// accessibilityPage is the content of the statement of accessibility.
type accessibilityPage struct {
	Contact string // as it is shown; "" when none is configured
	Address string // as a link; "" when it is none
}

func (s *site) accessibility(w http.ResponseWriter, r *http.Request) error {
	body := accessibilityPage{Contact: clean(s.Contact, maxNameRunes)}
	if a, err := mail.ParseAddress(s.Contact); err == nil {
		body.Address = "mailto:" + a.Address
	} else if u, err := url.Parse(s.Contact); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		body.Address = s.Contact
	}
	s.show(w, r, page{Name: "accessibility", Body: body})
	return nil
}
