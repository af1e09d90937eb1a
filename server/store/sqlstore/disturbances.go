package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

// DisturbanceRecord implements store.Disturbances.
func (s *Store) DisturbanceRecord(ctx context.Context, sessionID string) (store.DisturbanceRecord, error) {
	d, err := s.outline(ctx, s.read, sessionID)
	if err != nil {
		return d, err
	}
	texts, err := collect(ctx, s.read, func(row scanner) (text string, err error) { return text, row.Scan(&text) },
		`SELECT text FROM disturbance_entries WHERE record_id = ? ORDER BY number`, d.ID)
	if err != nil {
		return d, fmt.Errorf("texts of a disturbance record: %w", err)
	}
	type personText struct {
		store.PersonText
		number int
	}
	people, err := collect(ctx, s.read, func(row scanner) (p personText, err error) {
		var participant sql.NullString
		err = row.Scan(&p.number, &participant, &p.Hash, &p.Text)
		p.ParticipantID = participant.String
		return p, err
	}, `SELECT number, participant_id, hash, text FROM disturbance_people WHERE record_id = ? ORDER BY number, place`, d.ID)
	if err != nil {
		return d, fmt.Errorf("people of a disturbance record: %w", err)
	}
	if len(texts) < len(d.Entries) { // deleted in the meantime
		return d, fmt.Errorf("disturbance record: %w", store.ErrNotFound)
	}
	// Entries that were added in the meantime are left out.
	for i := range d.Entries {
		d.Entries[i].Text = texts[i]
	}
	for _, p := range people {
		if p.number <= len(d.Entries) {
			e := &d.Entries[p.number-1]
			e.People = append(e.People, p.PersonText)
		}
	}
	return d, nil
}

// DisturbanceOutline implements store.Disturbances.
func (s *Store) DisturbanceOutline(ctx context.Context, sessionID string) (store.DisturbanceRecord, error) {
	return s.outline(ctx, s.read, sessionID)
}

func (s *Store) outline(ctx context.Context, r runner, sessionID string) (d store.DisturbanceRecord, err error) {
	var starts int64
	err = r.row(ctx, `SELECT id, session_id, head, starts_at FROM disturbance_records WHERE session_id = ? AND org_id = ?`, sessionID, s.org).
		Scan(&d.ID, &d.SessionID, &d.Head, &starts)
	if err != nil {
		return d, fmt.Errorf("disturbance record: %w", err)
	}
	d.StartsAt = fromMillis(starts)
	d.Entries, err = collect(ctx, r, func(row scanner) (e store.DisturbanceEntry, err error) {
		var at int64
		var participant sql.NullString
		err = row.Scan(&e.Number, &e.Key, &e.Kind, &at, &e.About, &participant, &e.Hash)
		e.At, e.ParticipantID = fromMillis(at), participant.String
		return e, err
	}, `SELECT number, entry_key, kind, at, about, participant_id, hash FROM disturbance_entries WHERE record_id = ? ORDER BY number`, d.ID)
	if err != nil {
		return d, fmt.Errorf("entries of a disturbance record: %w", err)
	}
	return d, nil
}

// AddDisturbanceEntry implements store.Disturbances.
func (s *Store) AddDisturbanceEntry(ctx context.Context, begin store.DisturbanceRecord, e store.DisturbanceEntry) (next store.DisturbanceRecord, entry store.DisturbanceEntry, err error) {
	err = s.write.inTx(ctx, func(tx runner) error {
		before, err := s.lockRecord(ctx, tx, begin)
		if err != nil {
			return err
		}
		var changed bool
		if next, changed, err = before.With(e); err != nil {
			return err
		}
		if !changed {
			entry = known(next, e)
			return nil
		}
		entry = next.Entries[len(next.Entries)-1]
		return s.insertEntry(ctx, tx, next.ID, entry)
	})
	return next, entry, err
}

// known returns the entry because of which e has no effect.
func known(r store.DisturbanceRecord, e store.DisturbanceEntry) store.DisturbanceEntry {
	if i := slices.IndexFunc(r.Entries, func(o store.DisturbanceEntry) bool { return o.Key == e.Key }); i >= 0 {
		return r.Entries[i]
	}
	if open := r.OpenOf(e.ParticipantID, e.At); open != nil {
		return *open
	}
	return store.DisturbanceEntry{}
}

// lockRecord returns the outline of the record of a session, whose row is locked. It is begun if there is none.
func (s *Store) lockRecord(ctx context.Context, tx runner, begin store.DisturbanceRecord) (store.DisturbanceRecord, error) {
	_, err := tx.exec(ctx, `INSERT INTO disturbance_records (id, org_id, session_id, head, starts_at, closed_at) VALUES (`+marks(6)+`) ON CONFLICT (session_id) DO NOTHING`,
		uuid.NewString(), s.org, begin.SessionID, begin.Head, millis(begin.StartsAt), 0)
	if err != nil {
		return begin, fmt.Errorf("begin a disturbance record: %w", err)
	}
	// The update locks the row.
	if err := oneRow(tx.exec(ctx, `UPDATE disturbance_records SET starts_at = starts_at WHERE session_id = ? AND org_id = ?`, begin.SessionID, s.org)); err != nil {
		return begin, fmt.Errorf("lock a disturbance record: %w", err)
	}
	return s.outline(ctx, tx, begin.SessionID)
}

func (s *Store) insertEntry(ctx context.Context, tx runner, recordID string, e store.DisturbanceEntry) error {
	ids := []string{e.ParticipantID}
	for _, p := range e.People {
		ids = append(ids, p.ParticipantID)
	}
	present, err := s.present(ctx, tx, ids)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `INSERT INTO disturbance_entries (record_id, number, entry_key, kind, at, about, participant_id, text, hash) VALUES (`+marks(9)+`)`,
		recordID, e.Number, e.Key, string(e.Kind), millis(e.At), e.About, present[e.ParticipantID], e.Text, e.Hash)
	if err != nil {
		return fmt.Errorf("store an entry of a disturbance record: %w", err)
	}
	if e.Kind == store.RecordClosed {
		if _, err := tx.exec(ctx, `UPDATE disturbance_records SET closed_at = ? WHERE id = ?`, millis(e.At), recordID); err != nil {
			return fmt.Errorf("close a disturbance record: %w", err)
		}
	}
	place := 0
	for chunk := range chunks(e.People) {
		var args []any
		for _, p := range chunk {
			text := p.Text
			if p.ParticipantID != "" && !present[p.ParticipantID].Valid {
				text = "" // erased in the meantime
			}
			args = append(args, recordID, e.Number, place, present[p.ParticipantID], p.Hash, text)
			place++
		}
		_, err = tx.exec(ctx, `INSERT INTO disturbance_people (record_id, number, place, participant_id, hash, text) VALUES `+
			tuples(len(chunk), "("+marks(6)+")"), args...)
		if err != nil {
			return fmt.Errorf("store the people of a disturbance record: %w", err)
		}
	}
	return nil
}

// present returns those of some ids that are participants, who cannot be erased until the transaction
// ends. Others were erased in the meantime.
func (s *Store) present(ctx context.Context, tx runner, ids []string) (map[string]sql.NullString, error) {
	present := map[string]sql.NullString{}
	for chunk := range padded(ids) {
		some, err := collect(ctx, tx, func(row scanner) (id string, err error) { return id, row.Scan(&id) },
			`SELECT p.id FROM participants p WHERE p.id IN (`+marks(len(chunk))+`) AND p.org_id || '' = ?`+s.write.shareParticipants, append(chunk, s.org)...)
		if err != nil {
			return nil, fmt.Errorf("people of a disturbance record: %w", err)
		}
		for _, id := range some {
			present[id] = sql.NullString{String: id, Valid: true}
		}
	}
	return present, nil
}

// PersonEntries implements store.Disturbances.
func (s *Store) PersonEntries(ctx context.Context, participantID string) ([]store.PersonEntry, error) {
	list, err := collect(ctx, s.read, func(row scanner) (e store.PersonEntry, err error) {
		var at int64
		err = row.Scan(&e.SessionID, &e.Head, &e.Number, &at, &e.Text, &e.Person)
		e.At = fromMillis(at)
		return e, err
	}, `SELECT d.session_id, d.head, e.number, e.at, e.text, p.text FROM disturbance_people p
		JOIN disturbance_records d ON d.id = p.record_id JOIN disturbance_entries e ON e.record_id = p.record_id AND e.number = p.number
		WHERE p.participant_id = ? AND d.org_id = ?`, participantID, s.org)
	if err != nil {
		return nil, fmt.Errorf("entries of disturbance records about a person: %w", err)
	}
	slices.SortStableFunc(list, func(a, b store.PersonEntry) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.SessionID, b.SessionID), cmp.Compare(a.Number, b.Number))
	})
	return list, nil
}

// DisturbanceRecords implements store.Disturbances.
func (s *Store) DisturbanceRecords(ctx context.Context, limit int) ([]store.RecordSummary, error) {
	list, err := collect(ctx, s.read, func(row scanner) (r store.RecordSummary, err error) {
		var starts, closed int64
		err = row.Scan(&r.SessionID, &r.Head, &starts, &closed, &r.Reports)
		r.StartsAt, r.ClosedAt = fromMillis(starts), fromMillis(closed)
		return r, err
	}, `SELECT d.session_id, d.head, d.starts_at, d.closed_at,
			(SELECT count(*) FROM disturbance_entries e WHERE e.record_id = d.id AND e.kind = 'reported')
		FROM disturbance_records d WHERE d.org_id = ? ORDER BY d.starts_at DESC, d.id DESC LIMIT ?`, s.org, pageSize(limit))
	if err != nil {
		return nil, fmt.Errorf("list disturbance records: %w", err)
	}
	return list, nil
}

// DeleteDisturbanceRecords implements store.Disturbances.
func (s *Store) DeleteDisturbanceRecords(ctx context.Context, before time.Time, limit int) (deleted int, err error) {
	err = s.write.inTx(ctx, func(tx runner) error {
		ids, err := collect(ctx, tx, func(row scanner) (id string, err error) { return id, row.Scan(&id) },
			`SELECT d.id FROM disturbance_records d WHERE d.org_id = ? AND d.starts_at < ? ORDER BY d.starts_at, d.id LIMIT ?`, s.org, millis(before), limit)
		if err != nil {
			return fmt.Errorf("look for old disturbance records: %w", err)
		}
		deleted = 0 // also when repeated
		for chunk := range padded(ids) {
			for _, table := range []string{"disturbance_people", "disturbance_entries"} {
				if _, err := tx.exec(ctx, `DELETE FROM `+table+` WHERE record_id IN (`+marks(len(chunk))+`)`, chunk...); err != nil {
					return fmt.Errorf("delete old %s: %w", table, err)
				}
			}
			n, err := tx.exec(ctx, `DELETE FROM disturbance_records WHERE id IN (`+marks(len(chunk))+`)`, chunk...)
			if err != nil {
				return fmt.Errorf("delete old disturbance records: %w", err)
			}
			deleted += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

// forgetInDisturbances erases what disturbance records say about a participant. The facts without the person
// and all hashes remain.
func forgetInDisturbances(ctx context.Context, tx runner, participantID string) error {
	for _, statement := range []string{
		`UPDATE disturbance_people SET text = '', participant_id = NULL WHERE participant_id = ?`,
		`UPDATE disturbance_entries SET participant_id = NULL WHERE participant_id = ?`,
	} {
		if _, err := tx.exec(ctx, statement, participantID); err != nil {
			return fmt.Errorf("erase a person in disturbance records: %w", err)
		}
	}
	return nil
}

// forgetRemarks erases the remarks in disturbance records that name a person, or another one of the same last
// name. Their hashes remain.
func (s *Store) forgetRemarks(ctx context.Context, tx runner, name string) error {
	type remark struct {
		record        string
		number, place int
		text          string
	}
	ids, err := collect(ctx, tx, func(row scanner) (id string, err error) { return id, row.Scan(&id) },
		`SELECT d.id FROM disturbance_records d WHERE d.org_id = ?`, s.org)
	if err != nil {
		return fmt.Errorf("list disturbance records: %w", err)
	}
	var remarks []remark
	for chunk := range padded(ids) {
		// With the last condition, the partial index of remarks is used.
		_, err := collect(ctx, tx, func(row scanner) (r remark, err error) {
			err = row.Scan(&r.record, &r.number, &r.place, &r.text)
			if store.RemarkNames(r.text, name) {
				remarks = append(remarks, r)
			}
			return r, err
		}, `SELECT p.record_id, p.number, p.place, p.text FROM disturbance_people p
			WHERE p.record_id IN (`+marks(len(chunk))+`) AND substr(p.text, 1, 16) = '`+store.RemarkPrefix+`'`, chunk...)
		if err != nil {
			return fmt.Errorf("remarks of disturbance records: %w", err)
		}
	}
	for _, r := range remarks {
		_, err := tx.exec(ctx, `UPDATE disturbance_people SET text = '', participant_id = NULL WHERE record_id = ? AND number = ? AND place = ?`, r.record, r.number, r.place)
		if err != nil {
			return fmt.Errorf("erase a remark of a disturbance record: %w", err)
		}
	}
	return nil
}
