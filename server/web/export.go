package web

import (
	"bytes"
	"net/http"

	"github.com/tonprobe/tonprobe/server/privacy"
)

// exportPerson serves everything that is stored about a participant, for the participant.
func (s *site) exportPerson(w http.ResponseWriter, r *http.Request) error {
	p, err := privacy.Collect(r.Context(), s.Store, r.PathValue("id"), s.Now())
	if err != nil {
		return err
	}
	// Complete before the first byte: an archive that breaks off would look like everything.
	var archive bytes.Buffer
	if err := privacy.WriteArchive(r.Context(), &archive, s.Store, p, s.Zone); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="`+privacy.ArchiveName(p)+`"`)
	_, _ = w.Write(archive.Bytes()) // the client may have gone
	return nil
}
