package web

import (
	"net/http"
	"net/mail"
	"net/url"
)

// accessibilityPage is the content of the accessibility statement.
type accessibilityPage struct {
	Contact string // "" if none is configured
	Address string // as a link; "" if Contact is not an address
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
