package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/tonprobe/tonprobe/server/store"
)

// Kinds of rows in search_parts.
const (
	kindName  = "name"
	kindPhone = "phone"
)

// maxPartLetters is the length to which parts are stored. Longer searches are afterwards
// compared with the whole name.
const maxPartLetters = 24

// maxParts is the number of parts that are kept of the names, and of the phone numbers, of
// a participant. It is far more than real names have; without a limit, a name of a megabyte
// would have a million.
const maxParts = 512

// searchPart is the end of a word of a name, or of a phone number.
type searchPart struct {
	kind, part string
	place      int
}

// searchKeys are the keys of a participant that a search compares: the words of the name,
// and the phone numbers.
func searchKeys(name, phone string) (words, phones string) {
	return foldUmlauts(store.NameKey(name)), strings.Join(store.PhoneKeys(phone), " ")
}

// partsOfKeys returns the parts of these keys, each once.
func partsOfKeys(words, phones string) []searchPart {
	var parts []searchPart
	known := map[searchPart]bool{}
	add := func(kind, key string, least int) {
		most := len(parts) + maxParts
		for word := range strings.FieldsSeq(key) {
			letters := []rune(word)
			for place := range max(0, len(letters)-least+1) {
				p := searchPart{kind, firstLetters(letters[place:], maxPartLetters), place}
				if len(parts) == most {
					return
				}
				if !known[p] {
					known[p] = true
					parts = append(parts, p)
				}
			}
		}
	}
	add(kindName, words, 1)
	add(kindPhone, phones, leastDigits)
	return parts
}

func firstLetters(letters []rune, n int) string { return string(letters[:min(n, len(letters))]) }

// keepSearchParts replaces the parts of a participant.
func keepSearchParts(ctx context.Context, tx runner, org, participantID, words, phones string) error {
	if _, err := tx.exec(ctx, `DELETE FROM search_parts WHERE participant_id = ?`, participantID); err != nil {
		return fmt.Errorf("delete from the search index: %w", err)
	}
	for chunk := range chunks(partsOfKeys(words, phones)) {
		var args []any
		for _, p := range chunk {
			args = append(args, org, p.kind, p.part, p.place, participantID)
		}
		_, err := tx.exec(ctx, `INSERT INTO search_parts (org_id, kind, part, place, participant_id) VALUES `+tuples(len(chunk), "("+marks(5)+")"), args...)
		if err != nil {
			return fmt.Errorf("update the search index: %w", err)
		}
	}
	return nil
}

// fillSearchParts is migration 9. It also rewrites the phone numbers in the present form
// of the search keys.
func fillSearchParts(d *dialect) *goose.Migration {
	fill := func(ctx context.Context, tx *sql.Tx) error {
		unprepared := *d
		unprepared.keepPrepared = false
		t := &transaction{database: newDatabase(&unprepared, nil), tx: tx}
		type row struct{ id, org, words, phone string }
		scan := func(s scanner) (r row, err error) { return r, s.Scan(&r.id, &r.org, &r.words, &r.phone) }
		for after := ""; ; {
			const page = 500
			rows, err := collect(ctx, t, scan, `SELECT id, org_id, search_key, phone FROM participants WHERE id > ? ORDER BY id LIMIT ?`, after, page)
			if err != nil {
				return fmt.Errorf("read the participants: %w", err)
			}
			for _, r := range rows {
				_, phones := searchKeys("", r.phone)
				if _, err := t.exec(ctx, `UPDATE participants SET phone_key = ? WHERE id = ?`, phones, r.id); err != nil {
					return fmt.Errorf("write the phone numbers: %w", err)
				}
				if err := keepSearchParts(ctx, t, r.org, r.id, r.words, phones); err != nil {
					return err
				}
				after = r.id
			}
			if len(rows) < page {
				return nil
			}
		}
	}
	const version = 9
	return goose.NewGoMigration(version, &goose.GoFunc{RunTx: fill}, nil)
}
