package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// onErasedName is what happens to the day of a name that has a tombstone already: the ON CONFLICT clause,
// or noName.
type onErasedName string

const (
	laterDay onErasedName = `DO UPDATE SET erased_at = excluded.erased_at WHERE excluded.erased_at > erased_names.erased_at`
	sameDay  onErasedName = `DO NOTHING` // a person who is erased again was erased earlier
	// noName leaves no tombstone of the name: an import may add the person again. The remarks that contain
	// the name also remain, since they may mean somebody else.
	noName onErasedName = ""
)

// addPersonTombstones adds tombstones of the name of a participant, and of their ids in other systems.
func (s *Store) addPersonTombstones(ctx context.Context, tx runner, key []byte, id, name string, now time.Time, known onErasedName) error {
	hashes, err := sourceHashes(ctx, tx, id)
	if err != nil {
		return err
	}
	hashes = append(hashes, store.TombstoneOf(key, store.TombstoneName, store.ErasedNameKey(name)))
	var names []store.ErasedName
	for _, h := range hashes {
		names = append(names, store.ErasedName{Hash: h, ErasedAt: now})
	}
	return s.addErasedNames(ctx, tx, names, known)
}

// sourceHashes returns the tombstones of the ids of a participant in other systems.
func sourceHashes(ctx context.Context, tx runner, participantID string) ([]store.Hash, error) {
	hashes, err := collect(ctx, tx, scanHash, `SELECT hash FROM participant_sources WHERE participant_id = ?`, participantID)
	if err != nil {
		return nil, fmt.Errorf("sources of an erased participant: %w", err)
	}
	return hashes, nil
}

func (s *Store) addErasedNames(ctx context.Context, tx runner, names []store.ErasedName, known onErasedName) error {
	for chunk := range chunks(names) {
		var args []any
		for _, n := range chunk {
			args = append(args, s.org, n.Hash[:], millis(n.ErasedAt))
		}
		if _, err := tx.exec(ctx, `INSERT INTO erased_names (org_id, hash, erased_at) VALUES `+tuples(len(chunk), "(?, ?, ?)")+`
			ON CONFLICT (org_id, hash) `+string(known), args...); err != nil {
			return fmt.Errorf("store the tombstone of a name: %w", err)
		}
	}
	return nil
}

// erasedNames returns all, in the order of their values.
func (s *Store) erasedNames(ctx context.Context) ([]store.ErasedName, error) {
	list, err := collect(ctx, s.read, func(row scanner) (n store.ErasedName, err error) {
		var hash []byte
		var at int64
		if err := row.Scan(&hash, &at); err != nil {
			return n, err
		}
		if len(hash) != len(n.Hash) {
			return n, fmt.Errorf("a hash of %d bytes", len(hash))
		}
		return store.ErasedName{Hash: store.Hash(hash), ErasedAt: fromMillis(at)}, nil
	}, `SELECT hash, erased_at FROM erased_names WHERE org_id = ? ORDER BY hash`, s.org)
	if err != nil {
		return nil, fmt.Errorf("list tombstones of names: %w", err)
	}
	return list, nil
}

// newerNames returns those of list that are not in known, or are there with an earlier time.
func newerNames(list, known []store.ErasedName) (newer []store.ErasedName) {
	at := map[store.Hash]time.Time{}
	for _, n := range known {
		at[n.Hash] = n.ErasedAt
	}
	for _, n := range list {
		if before, ok := at[n.Hash]; !ok || n.ErasedAt.After(before) {
			at[n.Hash] = n.ErasedAt
			newer = append(newer, n)
		}
	}
	return newer
}

// ErasedPerson implements store.ErasedNames.
func (s *Store) ErasedPerson(ctx context.Context, name, sourceID string) (last time.Time, err error) {
	keys, err := erasureKeys(ctx, s.read)
	if err != nil {
		return last, err
	}
	for _, key := range keys {
		hashes := []store.Hash{store.TombstoneOf(key, store.TombstoneName, store.ErasedNameKey(name))}
		if sourceID != "" {
			hashes = append(hashes, store.TombstoneOf(key, store.TombstoneSource, sourceID))
		}
		for _, h := range hashes {
			var at int64
			err := s.read.row(ctx, `SELECT erased_at FROM erased_names WHERE org_id = ? AND hash = ?`, s.org, h[:]).Scan(&at)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return last, fmt.Errorf("look for an erased name: %w", err)
			}
			if t := fromMillis(at); t.After(last) {
				last = t
			}
		}
	}
	if last.IsZero() {
		return last, store.ErrNotFound
	}
	return last, nil
}

// ParticipantOfSource implements store.ErasedNames.
func (s *Store) ParticipantOfSource(ctx context.Context, sourceID string) (store.Participant, error) {
	keys, err := erasureKeys(ctx, s.read)
	if err != nil {
		return store.Participant{}, err
	}
	for _, key := range keys {
		h := store.TombstoneOf(key, store.TombstoneSource, sourceID)
		p, err := scanParticipant(s.read.row(ctx, `SELECT `+participantColumns+` FROM participant_sources q JOIN participants p ON p.id = q.participant_id
			WHERE q.org_id = ? AND q.hash = ?`, s.org, h[:]))
		if err == nil {
			return p, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return p, fmt.Errorf("participant of a source: %w", err)
		}
	}
	return store.Participant{}, store.ErrNotFound
}

// addSources stores the ids of participants in other systems. Participants who are gone are left out.
func (s *Store) addSources(ctx context.Context, tx runner, sources []store.ParticipantSource) error {
	if len(sources) == 0 {
		return nil
	}
	keys, err := erasureKeys(ctx, tx)
	if err != nil {
		return err
	}
	for _, q := range sources {
		h := store.TombstoneOf(keys[0], store.TombstoneSource, q.SourceID)
		if _, err := tx.exec(ctx, `INSERT INTO participant_sources (org_id, hash, participant_id)
			SELECT p.org_id, ?, p.id FROM participants p WHERE p.id = ? AND p.org_id = ?`+s.write.shareParticipants+`
			ON CONFLICT (org_id, hash) DO UPDATE SET participant_id = excluded.participant_id
				WHERE participant_sources.participant_id <> excluded.participant_id`, h[:], q.ParticipantID, s.org); err != nil {
			return fmt.Errorf("source of a participant: %w", err)
		}
	}
	return nil
}

// DeleteErasedNames implements store.ErasedNames.
func (s *Store) DeleteErasedNames(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.write.exec(ctx, `DELETE FROM erased_names WHERE org_id = ? AND hash IN (SELECT hash FROM erased_names WHERE org_id = ? AND erased_at < ? ORDER BY erased_at LIMIT ?)`,
		s.org, s.org, millis(before), limit)
	if err != nil {
		return 0, fmt.Errorf("forget names of erased people: %w", err)
	}
	return int(n), nil
}
