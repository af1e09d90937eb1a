package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

const sessionColumns = `s.id, s.council_id, s.title, s.starts_at, s.ends_at, s.target, s.profile, s.place, s.cancelled, s.cancelled_by_staff, s.source, s.source_uid`

func scanSession(row scanner) (store.CouncilSession, error) {
	var c store.CouncilSession
	var starts, ends int64
	err := row.Scan(&c.ID, &c.CouncilID, &c.Title, &starts, &ends, &c.Target, &c.Profile, &c.Place, &c.Cancelled, &c.CancelledByStaff, &c.Source, &c.SourceUID)
	c.StartsAt, c.EndsAt = fromMillis(starts), fromMillis(ends)
	if c.Source == "" {
		c.SourceUID = ""
	}
	return c, err
}

// AddCouncilSession implements store.Councils.
func (s *Store) AddCouncilSession(ctx context.Context, c store.CouncilSession) error {
	if err := c.Check(); err != nil {
		return err
	}
	c.Source, c.SourceUID = "", c.ID
	return s.write.inTx(ctx, func(tx runner) error {
		if err := s.lockCouncil(ctx, tx, c.CouncilID); err != nil {
			return fmt.Errorf("council: %w", err)
		}
		if err := s.insertSession(ctx, tx, c); err != nil {
			return err
		}
		return s.rollChanged(ctx, tx)
	})
}

func (s *Store) insertSession(ctx context.Context, tx runner, c store.CouncilSession) error {
	_, err := tx.exec(ctx, `
		INSERT INTO council_sessions (id, org_id, council_id, title, starts_at, ends_at, closes_at, target, profile, place, cancelled, cancelled_by_staff, source, source_uid)
		VALUES (`+marks(14)+`)`, c.ID, s.org, c.CouncilID, c.Title, millis(c.StartsAt), millis(c.EndsAt), millis(c.Closes()),
		c.Target, c.Profile, c.Place, c.Cancelled, c.CancelledByStaff, c.Source, c.SourceUID)
	if s.write.taken(err) {
		return fmt.Errorf("session %s: %w", c.ID, store.ErrExists)
	}
	if err != nil {
		return fmt.Errorf("add session: %w", err)
	}
	return nil
}

func (s *Store) updateSession(ctx context.Context, tx runner, c store.CouncilSession) error {
	err := oneRow(tx.exec(ctx, `
		UPDATE council_sessions SET title = ?, starts_at = ?, ends_at = ?, closes_at = ?, target = ?, profile = ?, place = ?, cancelled = ?, cancelled_by_staff = ?
		WHERE id = ? AND org_id = ?`,
		c.Title, millis(c.StartsAt), millis(c.EndsAt), millis(c.Closes()), c.Target, c.Profile, c.Place, c.Cancelled, c.CancelledByStaff, c.ID, s.org))
	if err != nil {
		return fmt.Errorf("change session: %w", err)
	}
	return nil
}

// CouncilSession implements store.Councils.
func (s *Store) CouncilSession(ctx context.Context, id string) (store.CouncilSession, error) {
	c, err := scanSession(s.read.row(ctx, `SELECT `+sessionColumns+` FROM council_sessions s WHERE s.id = ? AND s.org_id = ?`, id, s.org))
	if err != nil {
		return c, fmt.Errorf("session: %w", err)
	}
	return c, nil
}

// ChangeCouncilSession implements store.Councils.
func (s *Store) ChangeCouncilSession(ctx context.Context, c store.CouncilSession) error {
	if err := c.Check(); err != nil {
		return err
	}
	return s.write.inTx(ctx, func(tx runner) error {
		if err := s.updateSession(ctx, tx, c); err != nil {
			return err
		}
		return s.rollChanged(ctx, tx)
	})
}

// RemoveCouncilSession implements store.Councils.
func (s *Store) RemoveCouncilSession(ctx context.Context, id string) error {
	return s.write.inTx(ctx, func(tx runner) error {
		if err := oneRow(tx.exec(ctx, `DELETE FROM council_sessions WHERE id = ? AND org_id = ?`, id, s.org)); err != nil {
			return fmt.Errorf("remove session: %w", err)
		}
		return s.rollChanged(ctx, tx)
	})
}

// DeleteCouncilSessions implements store.Councils.
func (s *Store) DeleteCouncilSessions(ctx context.Context, before time.Time, limit int) (deleted int, err error) {
	err = s.write.inTx(ctx, func(tx runner) error {
		n, err := tx.exec(ctx, `DELETE FROM council_sessions WHERE id IN (SELECT s.id FROM council_sessions s
			WHERE s.org_id = ? AND s.starts_at < ? ORDER BY s.starts_at, s.id LIMIT ?)`, s.org, millis(before), limit)
		if deleted = int(n); err != nil || n == 0 {
			return err
		}
		return s.rollChanged(ctx, tx)
	})
	if err != nil {
		return 0, fmt.Errorf("delete old sessions: %w", err)
	}
	return deleted, nil
}

const sessionList = "sessions"

// CouncilSessions implements store.Councils.
func (s *Store) CouncilSessions(ctx context.Context, q store.SessionQuery) (store.SessionPage, error) {
	where, args := `s.org_id = ?`, []any{s.org}
	if q.CouncilID != "" {
		// No index begins with both columns. That of the council leaves few rows, of which the
		// organisation is then compared.
		where, args = `s.council_id = ? AND s.org_id = ?`, []any{q.CouncilID, s.org}
	}
	if q.After != "" {
		c, err := parseCursor(q.After, sessionList)
		if err != nil {
			return store.SessionPage{}, err
		}
		where, args = where+` AND (s.starts_at, s.id) > (?, ?)`, append(args, c.At, c.ID)
	} else {
		// A session that started earlier than that has ended. With the bound, the index on
		// starts_at can be used.
		where, args = where+` AND s.starts_at >= ?`, append(args, millis(q.From.Add(-store.MaxSessionLength)))
	}
	limit := pageSize(q.Limit)
	list, err := collect(ctx, s.read, scanSession,
		`SELECT `+sessionColumns+` FROM council_sessions s WHERE `+where+` AND s.closes_at > ? ORDER BY s.starts_at, s.id LIMIT ?`,
		append(args, millis(q.From), limit+1)...)
	if err != nil {
		return store.SessionPage{}, fmt.Errorf("list sessions: %w", err)
	}
	page := store.SessionPage{Sessions: list}
	if len(list) > limit {
		page.Sessions = list[:limit]
		last := list[limit-1]
		page.Next = cursor{List: sessionList, At: millis(last.StartsAt), ID: last.ID}.String()
	}
	return page, nil
}

// SessionsOf implements store.Councils.
func (s *Store) SessionsOf(ctx context.Context, participantID string, from, until time.Time, limit int) ([]store.CouncilSession, error) {
	councils, err := s.CouncilsOf(ctx, participantID)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range councils {
		ids = append(ids, c.ID)
	}
	var list []store.CouncilSession
	for chunk := range padded(ids) {
		some, err := collect(ctx, s.read, scanSession, `
			SELECT `+sessionColumns+` FROM council_sessions s
			WHERE s.council_id IN (`+marks(len(chunk))+`) AND s.org_id = ? AND s.starts_at >= ? AND s.starts_at < ? AND s.closes_at > ? AND NOT s.cancelled
			ORDER BY s.starts_at, s.id LIMIT ?`,
			append(chunk, s.org, millis(from.Add(-store.MaxSessionLength)), millis(until), millis(from), limit)...)
		if err != nil {
			return nil, fmt.Errorf("sessions of a participant: %w", err)
		}
		list = append(list, some...)
	}
	slices.SortFunc(list, store.CouncilSession.Compare)
	return list[:min(limit, len(list))], nil
}

// UpsertSessions implements store.Councils.
func (s *Store) UpsertSessions(ctx context.Context, councilID, source string, sessions []store.CouncilSession, now time.Time) (store.ImportResult, error) {
	if err := store.CheckImport(source, sessions); err != nil {
		return store.ImportResult{}, err
	}
	var result store.ImportResult
	err := s.write.inTx(ctx, func(tx runner) (err error) {
		result, err = s.upsertSessions(ctx, tx, store.SessionImport{CouncilID: councilID, Source: source, Sessions: sessions}, now)
		return err
	})
	if err != nil {
		return store.ImportResult{}, fmt.Errorf("import sessions: %w", err)
	}
	return result, nil
}

func (s *Store) upsertSessions(ctx context.Context, tx runner, i store.SessionImport, now time.Time) (result store.ImportResult, err error) {
	if err := s.lockCouncil(ctx, tx, i.CouncilID); err != nil {
		return result, fmt.Errorf("council: %w", err)
	}
	before, err := collect(ctx, tx, scanSession,
		`SELECT `+sessionColumns+` FROM council_sessions s WHERE s.council_id = ? AND s.source = ? AND s.org_id = ?`, i.CouncilID, i.Source, s.org)
	if err != nil {
		return result, fmt.Errorf("sessions of the source: %w", err)
	}
	known := map[string]store.CouncilSession{}
	for _, b := range before {
		known[b.SourceUID] = b
	}
	for _, c := range i.Sessions {
		old, found := known[c.SourceUID]
		if former := i.Former[c.SourceUID]; !found && former != "" {
			if old, found = known[former]; found {
				c.SourceUID = former
			}
		}
		delete(known, c.SourceUID)
		c.ID, c.CouncilID, c.Source = old.ID, i.CouncilID, i.Source
		c.StartsAt, c.EndsAt = fromMillis(millis(c.StartsAt)), fromMillis(millis(c.EndsAt))
		// What staff chose for a session remains, if the source does not say.
		c.Target, c.Profile = cmp.Or(c.Target, old.Target), cmp.Or(c.Profile, old.Profile)
		if old.CancelledByStaff { // the source may not know of it
			c.Cancelled, c.CancelledByStaff = true, true
		}
		switch {
		case !found:
			c.ID = uuid.NewString()
			result.Added++
			err = s.insertSession(ctx, tx, c)
		case c != old:
			result.Changed++
			err = s.updateSession(ctx, tx, c)
		default:
			result.Unchanged++
		}
		if err != nil {
			return result, err
		}
	}
	for _, gone := range known {
		if i.KeepMissing || i.Keep != nil && i.Keep(gone.SourceUID) || gone.Cancelled || !gone.StartsAt.After(now) || !i.Until.IsZero() && !gone.StartsAt.Before(i.Until) {
			continue
		}
		gone.Cancelled = true
		result.Cancelled++
		if err := s.updateSession(ctx, tx, gone); err != nil {
			return result, err
		}
	}
	if result.Added+result.Changed+result.Cancelled == 0 {
		return result, nil
	}
	return result, s.rollChanged(ctx, tx)
}
