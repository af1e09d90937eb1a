package web

import (
	"net/http"
	"net/mail"
	"net/url"
)

// maxReferenceRunes is enough for the name and the postal address of an authority.
const maxReferenceRunes = 300

// accessibilityPage is the content of the accessibility statement. The zero reference means that none is
// configured.
type accessibilityPage struct {
	Contact     reference // for feedback
	Arbitration reference // if the contact does not help
}

// reference says where people can turn.
type reference struct {
	Text    string
	Address string // as a link; "" if Text is not an address
}

func (s *site) accessibility(w http.ResponseWriter, r *http.Request) error {
	s.show(w, r, page{Name: "accessibility", Body: accessibilityPage{referTo(s.Contact), referTo(s.Arbitration)}})
	return nil
}

// referTo makes a link of an e-mail or web address.
func referTo(text string) reference {
	to := reference{Text: clean(text, maxReferenceRunes)}
	if a, err := mail.ParseAddress(text); err == nil {
		to.Address = "mailto:" + a.Address
	} else if u, err := url.Parse(text); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		to.Address = text
	}
	return to
}
