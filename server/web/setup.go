package web

import (
	"net/http"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// setupPage is the content of the page that an invitation opens. The code is in the fragment of its
// address, which browsers do not send; a script shows it and builds the link for the program.
type setupPage struct {
	// Link is the start of the link for the program, up to the code; "" if this collector has no TLS.
	Link      string
	Origin    string
	Downloads []download
	// Check is the address of the check in the browser; "" if there is none.
	Check string
}

// setup explains how a participant sets up a computer, and offers the program.
func (s *site) setup(w http.ResponseWriter, r *http.Request) error {
	files, err := s.downloads(r)
	if err != nil {
		return err
	}
	body := setupPage{Origin: s.origin(r), Downloads: files}
	if s.offersCheck() {
		body.Check = wire.CheckPath
	}
	if i, ok := wire.InvitationFor(body.Origin, "", ""); ok {
		body.Link = i.String()
	}
	s.show(w, r, page{Name: "setup", Body: body})
	return nil
}
