package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/server/store"
)

// Limits of one transaction. Other writers wait for it.
const (
	maxGroupSaves   = 64
	maxGroupReports = 1000
	groupTimeout    = 30 * time.Second
)

// save is one delivery that waits to be written.
type save struct {
	ctx       context.Context
	org       string
	agentID   string
	reports   []store.NewReport
	documents [][]byte // compressed
	results   []store.SaveResult
	err       error
	done      chan struct{}
}

// saver writes concurrent deliveries in one transaction (group commit): a commit waits
// for the disk, whose speed limits the commits per second, not the rows. Each delivery
// is answered after its commit, as if it had been alone.
type saver struct {
	db *database

	mu      sync.Mutex
	waiting []*save
	busy    int // lanes in use
	lanes   sync.WaitGroup
}

func newSaver(db *database) *saver { return &saver{db: db} }

// wait returns when nothing is being written.
func (v *saver) wait() { v.lanes.Wait() }

// SaveReports implements store.Reports.
func (s *Store) SaveReports(ctx context.Context, agentID string, reports []store.NewReport) ([]store.SaveResult, error) {
	one := &save{ctx: ctx, org: s.org, agentID: agentID, reports: reports, documents: make([][]byte, len(reports)), done: make(chan struct{})}
	for i, r := range reports {
		one.documents[i] = s.pack.EncodeAll(r.Document, nil)
	}
	s.saver.add(one)
	select {
	case <-one.done:
	case <-ctx.Done():
		// It may still be stored; the agent then sends it again and receives
		// "duplicate".
		return nil, fmt.Errorf("save reports: %w", ctx.Err())
	}
	if one.err != nil {
		return nil, fmt.Errorf("save reports: %w", one.err)
	}
	return one.results, nil
}

func (v *saver) add(one *save) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waiting = append(v.waiting, one)
	if v.busy < v.db.lanes {
		v.busy++
		v.lanes.Go(v.drain)
	}
}

// drain writes until no delivery waits.
func (v *saver) drain() {
	for {
		group := v.next()
		if group == nil {
			return
		}
		v.write(group)
	}
}

// next returns the next group of one organisation, in order of arrival.
func (v *saver) next() []*save {
	v.mu.Lock()
	defer v.mu.Unlock()
	var group []*save
	reports := 0
	rest := v.waiting[:0]
	for i, one := range v.waiting {
		if len(group) > 0 && (len(group) == maxGroupSaves || reports+len(one.reports) > maxGroupReports) {
			rest = append(rest, v.waiting[i:]...)
			break
		}
		if len(group) > 0 && one.org != group[0].org {
			rest = append(rest, one)
			continue
		}
		if one.err = one.ctx.Err(); one.err != nil {
			close(one.done) // nobody waits for it any more
			continue
		}
		group = append(group, one)
		reports += len(one.reports)
	}
	clear(v.waiting[len(rest):])
	v.waiting = rest
	if group == nil {
		v.busy--
	}
	return group
}

// write stores a group. If one delivery makes it fail, each is written separately.
func (v *saver) write(group []*save) {
	err := v.commit(group)
	if err != nil && len(group) > 1 && !errors.Is(err, store.ErrUnavailable) {
		for _, one := range group {
			v.write([]*save{one})
		}
		return
	}
	for _, one := range group {
		if err != nil {
			one.err = err
		}
		close(one.done)
	}
}

func (v *saver) commit(group []*save) error {
	// The requests of a group end at different times, and none cancels the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(group[0].ctx), groupTimeout)
	defer cancel()
	err := v.db.inTx(ctx, func(tx runner) error { return keepGroup(ctx, tx, v.db.dialect, group) })
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return err
}

// standing contains the changes of a group to a participant.
type standing struct {
	participantID string
	known         store.Known
	seen          time.Time
	changed       bool
}

// sender is an agent of a group.
type sender struct {
	id    string
	seen  time.Time
	state *standing
}

// keepGroup stores all deliveries of a group. A delivery of an unknown agent fails
// alone.
func keepGroup(ctx context.Context, tx runner, d *dialect, group []*save) error {
	var agents []string
	for _, one := range group {
		agents = append(agents, one.agentID)
	}
	senders, err := lockSenders(ctx, tx, d, group[0].org, agents)
	if err != nil {
		return err
	}
	var arrivals []arrival
	for _, one := range group {
		one.results, one.err = make([]store.SaveResult, len(one.reports)), nil // also when repeated
		from, known := senders[one.agentID]
		if !known {
			one.err = fmt.Errorf("agent %s: %w", one.agentID, store.ErrNotFound)
			continue
		}
		for i, r := range one.reports {
			one.results[i] = store.SaveResult{ID: r.Report.ID, Status: store.Stored}
			arrivals = append(arrivals, arrival{from: from, report: r, document: one.documents[i], result: &one.results[i]})
			from.seen = store.SeenAt(from.seen, r.ReceivedAt)
			from.state.seen = store.SeenAt(from.state.seen, r.ReceivedAt)
		}
	}
	if err := insertReports(ctx, tx, group[0].org, arrivals); err != nil {
		return err
	}
	for _, a := range arrivals {
		if a.result.Status == store.Stored {
			a.from.state.known, a.from.state.changed = a.from.state.known.With(a.report), true
		}
	}
	return keepSenders(ctx, tx, group[0].org, senders)
}

// lockSenders reads and locks the agents and their participants, at most maxGroupSaves.
// All transactions lock in the same order.
func lockSenders(ctx context.Context, tx runner, d *dialect, org string, ids []string) (map[string]*sender, error) {
	slices.Sort(ids)
	senders, states := map[string]*sender{}, map[string]*standing{}
	scan := func(row scanner) (*sender, error) {
		from, to := &sender{}, &standing{}
		var seen, allSeen int64
		var known knownColumns
		if err := row.Scan(append([]any{&from.id, &seen, &to.participantID, &allSeen}, known.into()...)...); err != nil {
			return nil, err
		}
		if states[to.participantID] == nil {
			to.known, to.seen = known.known(), fromMillis(allSeen)
			states[to.participantID] = to
		}
		from.seen, from.state = fromMillis(seen), states[to.participantID]
		senders[from.id] = from
		return from, nil
	}
	for chunk := range padded(slices.Compact(ids)) {
		_, err := collect(ctx, tx, scan, `
			SELECT a.id, a.last_seen_at, l.participant_id, l.last_seen_at, `+columnsOfKnown+`
			FROM agents a JOIN latest l ON l.participant_id = a.participant_id
			WHERE a.org_id = ? AND a.id IN (`+marks(len(chunk))+`) ORDER BY l.participant_id, a.id`+d.lockBoth,
			append([]any{org}, chunk...)...)
		if err != nil {
			return nil, fmt.Errorf("read the agents: %w", err)
		}
	}
	return senders, nil
}

// arrival is one report of a group.
type arrival struct {
	from     *sender
	report   store.NewReport
	document []byte
	result   *store.SaveResult
}

// insertReports stores new reports, and sets the results of the others.
func insertReports(ctx context.Context, tx runner, org string, arrivals []arrival) error {
	first := map[string]arrival{} // by report id
	var fresh []arrival
	for _, a := range arrivals {
		if _, again := first[a.report.Report.ID]; !again {
			first[a.report.Report.ID] = a
			fresh = append(fresh, a)
		}
	}
	inserted := map[string]bool{}
	scan := func(row scanner) (id string, err error) {
		err = row.Scan(&id)
		inserted[id] = true
		return id, err
	}
	for chunk := range chunks(fresh) {
		var args []any
		for _, a := range chunk {
			r := a.report.Report
			primary, _ := r.Primary()
			args = append(args, r.ID, org, a.from.id, a.from.state.participantID, r.Case, string(r.Trigger), millis(r.StartedAt), millis(a.report.CheckedAt),
				millis(a.report.ReceivedAt), string(r.Verdict), primary.Code, string(primary.Severity), string(primary.Area), diagnose.HeadlineKey(r), a.document)
		}
		_, err := collect(ctx, tx, scan, `
			INSERT INTO reports (id, org_id, agent_id, participant_id, case_code, trigger_kind, started_at, checked_at,
				received_at, verdict, primary_code, primary_severity, primary_area, headline, document)
			VALUES `+tuples(len(chunk), "("+marks(15)+")")+` ON CONFLICT (id) DO NOTHING RETURNING id`, args...)
		if err != nil {
			return fmt.Errorf("store reports: %w", err)
		}
	}
	owners, err := ownersOf(ctx, tx, fresh, inserted)
	if err != nil {
		return err
	}
	for i, a := range arrivals {
		id := a.report.Report.ID
		owner := owners[id]
		if inserted[id] {
			if first[id].result == arrivals[i].result {
				continue
			}
			owner = first[id].from.id
		}
		a.result.Status = store.Duplicate
		if owner != a.from.id {
			a.result.Status = store.Foreign
		}
	}
	return nil
}

// ownersOf returns which agents sent the reports that existed before.
func ownersOf(ctx context.Context, tx runner, fresh []arrival, inserted map[string]bool) (map[string]string, error) {
	var ids []string
	for _, a := range fresh {
		if id := a.report.Report.ID; !inserted[id] {
			ids = append(ids, id)
		}
	}
	owners := map[string]string{}
	scan := func(row scanner) (id string, err error) {
		var agent string
		err = row.Scan(&id, &agent)
		owners[id] = agent
		return id, err
	}
	for chunk := range padded(ids) {
		// In all organisations, because ids are globally unique.
		if _, err := collect(ctx, tx, scan, `SELECT id, agent_id FROM reports WHERE id IN (`+marks(len(chunk))+`)`, chunk...); err != nil {
			return nil, fmt.Errorf("look for the owners of reports: %w", err)
		}
	}
	return owners, nil
}

// keepSenders writes the changes of a group to agents and participants.
func keepSenders(ctx context.Context, tx runner, org string, senders map[string]*sender) error {
	if len(senders) == 0 {
		return nil
	}
	var agents []*sender
	byParticipant := map[string]*standing{}
	for _, from := range senders {
		agents = append(agents, from)
		byParticipant[from.state.participantID] = from.state
	}
	slices.SortFunc(agents, func(a, b *sender) int { return strings.Compare(a.id, b.id) })
	for chunk := range chunks(agents) {
		var args []any
		for _, from := range chunk {
			args = append(args, from.id, millis(from.seen))
		}
		_, err := tx.exec(ctx, `
			WITH v (id, seen) AS (VALUES `+tuples(len(chunk), `(CAST(? AS TEXT), CAST(? AS BIGINT))`)+`)
			UPDATE agents SET last_seen_at = v.seen FROM v WHERE agents.id = v.id`, args...)
		if err != nil {
			return fmt.Errorf("touch agents: %w", err)
		}
	}
	var seen, changed []*standing
	for _, state := range byParticipant {
		if state.changed {
			changed = append(changed, state)
		} else {
			seen = append(seen, state)
		}
	}
	for chunk := range chunks(seen) {
		var args []any
		for _, state := range chunk {
			args = append(args, state.participantID, millis(state.seen))
		}
		_, err := tx.exec(ctx, `
			WITH v (id, seen) AS (VALUES `+tuples(len(chunk), `(CAST(? AS TEXT), CAST(? AS BIGINT))`)+`)
			UPDATE latest SET last_seen_at = v.seen FROM v WHERE latest.participant_id = v.id`, args...)
		if err != nil {
			return fmt.Errorf("touch participants: %w", err)
		}
	}
	return keepStates(ctx, tx, org, changed)
}
