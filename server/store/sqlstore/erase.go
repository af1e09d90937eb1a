package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// scrubTimeout limits the wait for readers of the database file after an erasure.
const scrubTimeout = 5 * time.Second

// DeleteParticipant implements store.Participants.
func (s *Store) DeleteParticipant(ctx context.Context, id string, now time.Time) error {
	err := s.write.inTx(ctx, func(tx runner) error {
		keys, err := erasureKeys(ctx, tx)
		if err != nil {
			return err
		}
		return s.erase(ctx, tx, keys[0], id, now, laterDay)
	})
	if err != nil {
		return err
	}
	s.scrub(ctx)
	return nil
}

// scrub removes erased content from the files of the database as far as possible.
func (s *Store) scrub(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), scrubTimeout)
	defer cancel()
	s.write.scrub(ctx, s.write)
}

// erase removes a participant and leaves tombstones. Everything that adds data about a participant
// locks their row of latest or refers to that of participants, both of which are locked here: it is
// either complete before, and erased, or finds nobody afterwards.
func (s *Store) erase(ctx context.Context, tx runner, key []byte, id string, now time.Time, known onErasedName) error {
	if err := s.lockState(ctx, tx, id); err != nil {
		return fmt.Errorf("delete participant: %w", err)
	}
	var name string
	if err := tx.row(ctx, `SELECT p.name FROM participants p WHERE p.id = ?`+s.write.lockParticipants, id).Scan(&name); err != nil {
		return fmt.Errorf("delete participant: %w", err)
	}
	if s.write.overwriteDeleted != "" {
		if _, err := tx.exec(ctx, s.write.overwriteDeleted); err != nil {
			return fmt.Errorf("delete participant: %w", err)
		}
	}
	tombstones, err := s.tombstonesFor(ctx, tx, key, id)
	if err != nil {
		return err
	}
	if err := s.addTombstones(ctx, tx, tombstones); err != nil {
		return err
	}
	if known != noName {
		if err := s.addPersonTombstones(ctx, tx, key, id, name, now, known); err != nil {
			return err
		}
	}
	if err := forgetCases(ctx, tx, `participant_id = ?`, id); err != nil {
		return err
	}
	if err := forgetInDisturbances(ctx, tx, id); err != nil {
		return err
	}
	if known != noName {
		if err := s.forgetRemarks(ctx, tx, name); err != nil {
			return err
		}
	}
	pseudonym := store.Pseudonym(store.TombstoneOf(key, store.TombstoneParticipant, id))
	if _, err := tx.exec(ctx, `UPDATE audit_log SET participant_id = ?, report_id = '' WHERE org_id = ? AND participant_id = ?`, pseudonym, s.org, id); err != nil {
		return fmt.Errorf("erase a person in the audit log: %w", err)
	}
	// Rows that refer to others are deleted first.
	for _, table := range []string{"latest", "reports", "enrol_codes", "agents", "council_members", "search_parts", "participant_sources", "people_without_council"} {
		if _, err := tx.exec(ctx, `DELETE FROM `+table+` WHERE participant_id = ?`, id); err != nil {
			return fmt.Errorf("delete %s of participant: %w", table, err)
		}
	}
	if err := oneRow(tx.exec(ctx, `DELETE FROM participants WHERE id = ?`, id)); err != nil {
		return fmt.Errorf("delete participant: %w", err)
	}
	revision, err := nextRevision(ctx, tx, s.org)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `UPDATE organisations SET deleted_revision = ? WHERE id = ?`, revision, s.org); err != nil {
		return fmt.Errorf("record the deletion: %w", err)
	}
	return nil
}

// tombstonesFor returns the tombstones of a participant, their agents and all tokens of these.
func (s *Store) tombstonesFor(ctx context.Context, tx runner, key []byte, participantID string) ([]store.Hash, error) {
	all := []store.Hash{store.TombstoneOf(key, store.TombstoneParticipant, participantID)}
	token := func(hash []byte) { all = append(all, store.TombstoneOf(key, store.TombstoneToken, string(hash))) }
	_, err := collect(ctx, tx, func(row scanner) (struct{}, error) {
		var id string
		var hash []byte
		err := row.Scan(&id, &hash)
		all = append(all, store.TombstoneOf(key, store.TombstoneAgent, id))
		token(hash)
		return struct{}{}, err
	}, `SELECT a.id, a.token_hash FROM agents a WHERE a.participant_id = ?`+s.write.lockAgents, participantID)
	if err != nil {
		return nil, fmt.Errorf("agents of an erased participant: %w", err)
	}
	_, err = collect(ctx, tx, func(row scanner) (struct{}, error) {
		var hash []byte
		err := row.Scan(&hash)
		token(hash)
		return struct{}{}, err
	}, `SELECT t.token_hash FROM agents a JOIN agent_tokens t ON t.agent_id = a.id WHERE a.participant_id = ?`, participantID)
	if err != nil {
		return nil, fmt.Errorf("tokens of an erased participant: %w", err)
	}
	return all, nil
}

func (s *Store) addTombstones(ctx context.Context, tx runner, hashes []store.Hash) error {
	for chunk := range chunks(hashes) {
		var args []any
		for _, h := range chunk {
			args = append(args, s.org, h[:])
		}
		if _, err := tx.exec(ctx, `INSERT INTO tombstones (org_id, hash) VALUES `+tuples(len(chunk), "(?, ?)")+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return fmt.Errorf("store tombstones: %w", err)
		}
	}
	return nil
}

// erasureKeys returns the keys of tombstones, of which there is at least one. New tombstones are made
// with the first.
func erasureKeys(ctx context.Context, r runner) ([][]byte, error) {
	keys, err := collect(ctx, r, func(row scanner) (key []byte, err error) { return key, row.Scan(&key) },
		`SELECT erasure_key FROM erasure_keys ORDER BY erasure_key`)
	if err == nil && len(keys) == 0 {
		err = errors.New("there is none")
	}
	if err != nil {
		return nil, fmt.Errorf("keys of tombstones: %w", err)
	}
	return keys, nil
}

// tombstone returns the tombstone of something erased; found is false if there is none.
func (s *Store) tombstone(ctx context.Context, r runner, kind store.TombstoneKind, id string) (h store.Hash, found bool, err error) {
	keys, err := erasureKeys(ctx, r)
	if err != nil {
		return h, false, err
	}
	for _, key := range keys {
		h = store.TombstoneOf(key, kind, id)
		var one int
		switch err := r.row(ctx, `SELECT 1 FROM tombstones WHERE org_id = ? AND hash = ?`, s.org, h[:]).Scan(&one); {
		case err == nil:
			return h, true, nil
		case !errors.Is(err, store.ErrNotFound):
			return h, false, fmt.Errorf("look for a tombstone: %w", err)
		}
	}
	return h, false, nil
}

// ErasedToken implements store.Tombstones.
func (s *Store) ErasedToken(ctx context.Context, tokenHash store.Hash) (bool, error) {
	_, found, err := s.tombstone(ctx, s.read, store.TombstoneToken, string(tokenHash[:]))
	return found, err
}

// Tombstones implements store.Tombstones.
func (s *Store) Tombstones(ctx context.Context) (l store.TombstoneList, err error) {
	if l, err = s.idTombstones(ctx); err != nil {
		return l, err
	}
	l.Names, err = s.erasedNames(ctx)
	return l, err
}

// idTombstones returns the tombstones of ids and tokens.
func (s *Store) idTombstones(ctx context.Context) (l store.TombstoneList, err error) {
	if l.Keys, err = erasureKeys(ctx, s.read); err != nil {
		return l, err
	}
	l.Hashes, err = collect(ctx, s.read, scanHash, `SELECT hash FROM tombstones WHERE org_id = ? ORDER BY hash`, s.org)
	if err != nil {
		return l, fmt.Errorf("list tombstones: %w", err)
	}
	return l, nil
}

func scanHash(row scanner) (store.Hash, error) {
	var b []byte
	if err := row.Scan(&b); err != nil {
		return store.Hash{}, err
	}
	if len(b) != len(store.Hash{}) {
		return store.Hash{}, fmt.Errorf("a hash of %d bytes", len(b))
	}
	return store.Hash(b), nil
}

// AddTombstones implements store.Tombstones.
func (s *Store) AddTombstones(ctx context.Context, l store.TombstoneList, now time.Time) (erased int, err error) {
	known, err := s.Tombstones(ctx)
	if err != nil {
		return 0, err
	}
	has := map[store.Hash]bool{}
	for _, h := range known.Hashes {
		has[h] = true
	}
	missing := slices.DeleteFunc(slices.Clone(l.Hashes), func(h store.Hash) bool { return has[h] })
	names := newerNames(l.Names, known.Names)
	if len(missing)+len(names) == 0 {
		return 0, nil
	}
	// The keys first, and the tombstones last: after a crash between, the same call completes it.
	err = s.write.inTx(ctx, func(tx runner) error {
		for _, key := range l.Keys {
			if _, err := tx.exec(ctx, `INSERT INTO erasure_keys (erasure_key) VALUES (?) ON CONFLICT DO NOTHING`, key); err != nil {
				return fmt.Errorf("store the key of tombstones: %w", err)
			}
		}
		return s.addErasedNames(ctx, tx, names, laterDay)
	})
	if err != nil {
		return 0, err
	}
	if erased, err = s.eraseAgain(ctx, l, missing, now); err != nil {
		return erased, err
	}
	return erased, s.write.inTx(ctx, func(tx runner) error { return s.addTombstones(ctx, tx, missing) })
}

// eraseAgain erases the participants with one of these tombstones of a list.
func (s *Store) eraseAgain(ctx context.Context, l store.TombstoneList, tombstones []store.Hash, now time.Time) (erased int, err error) {
	if len(tombstones) == 0 {
		return 0, nil
	}
	gone := map[store.Hash]bool{}
	for _, h := range tombstones {
		gone[h] = true
	}
	named := map[store.Hash]bool{}
	for _, n := range l.Names {
		named[n.Hash] = true
	}
	page := store.StateQuery{Limit: store.MaxPage}
	for {
		states, err := s.ParticipantStates(ctx, page)
		if err != nil {
			return erased, err
		}
		for _, p := range states.States {
			i := slices.IndexFunc(l.Keys, func(key []byte) bool { return gone[store.TombstoneOf(key, store.TombstoneParticipant, p.ID)] })
			if i < 0 {
				continue
			}
			err := s.write.inTx(ctx, func(tx runner) error {
				known := sameDay
				if !l.NamesUnknown {
					hashes, err := sourceHashes(ctx, tx, p.ID)
					if err != nil {
						return err
					}
					for _, key := range l.Keys {
						hashes = append(hashes, store.TombstoneOf(key, store.TombstoneName, store.ErasedNameKey(p.Name)))
					}
					if !slices.ContainsFunc(hashes, func(h store.Hash) bool { return named[h] }) {
						known = noName
					}
				}
				return s.erase(ctx, tx, l.Keys[i], p.ID, now, known)
			})
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return erased, err
			}
			erased++
		}
		if page.After = states.Next; page.After == "" {
			break
		}
	}
	if erased > 0 {
		s.scrub(ctx)
	}
	return erased, nil
}
