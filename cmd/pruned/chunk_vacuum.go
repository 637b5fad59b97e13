package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"pruned/cmd/pruned/vacuum"
	"pruned/consumer/loop"
	"pruned/consumer/prune"
	"pruned/consumer/reap"
	"pruned/repo/postgres/pgerr"
)

// searchesSuffer is what an operator should know before the remedy.
const searchesSuffer = "until somebody vacuums the chunks after a deletion, searches may find nothing, above all where PGVECTOR_ITERATIVE_SCAN is off"

// chunkVacuum vacuums the table of chunks after rows of it went, where it has an hnsw index.
// Such an index goes on finding what was deleted in place of what lies near it: one document
// less can leave a search empty, less often where the application has it go on
// (PGVECTOR_ITERATIVE_SCAN, by default since pgvector 0.8). Of an ivfflat index a VACUUM mends
// no search.
type chunkVacuum struct {
	store   chunkTable // nil: chunks lie elsewhere
	url     string
	log     zerolog.Logger
	removed atomic.Int64 // chunks, since the last vacuum
	warned  string       // what was said last

	// look is how often it is asked whether any went; rest is how long a vacuum is
	// followed by none.
	look, rest time.Duration
}

// restFactor times as long as a vacuum took is followed by none: reading the index of many
// chunks takes long.
const restFactor = 10

func (c *command) newChunkVacuum(a *app) *chunkVacuum {
	store, _ := a.store.(chunkTable)
	return &chunkVacuum{store: store, url: string(c.cli.Vectors.URL), log: a.log, look: 30 * time.Second, rest: 10 * time.Minute}
}

func (v *chunkVacuum) countTransaction(r prune.Report, err error) {
	if err == nil {
		v.removed.Add(r.Chunks)
	}
}

func (v *chunkVacuum) countRemoved(r reap.Removed) { v.removed.Add(r.Chunks) }

// run vacuums beside a daemon.
func (v *chunkVacuum) run(ctx context.Context) {
	for pause := v.look; loop.Sleep(ctx, pause); {
		pause = v.look
		if v.removed.Load() > 0 {
			began := time.Now()
			v.vacuum(ctx)
			pause = max(v.rest, restFactor*time.Since(began))
		}
	}
}

// vacuum does it now, if any chunk went. That it fails is no failure of a deletion.
func (v *chunkVacuum) vacuum(ctx context.Context) {
	removed := v.removed.Swap(0)
	if v.store == nil || removed == 0 || ctx.Err() != nil {
		return
	}
	why, remedy, err := v.vacuumTable(ctx, removed)
	switch {
	case ctx.Err() != nil:
	case err == nil && why == "":
		v.warned = ""
	default:
		v.removed.Add(removed)
		if err != nil {
			why = err.Error()
		}
		if why != v.warned {
			v.warned = why
			v.log.Warn().Str("why", why).Str("remedy", remedy).Msg("the chunks were not vacuumed: " + searchesSuffer)
		}
	}
}

// vacuumTable says why nothing was done where that is no error, and what helps.
func (v *chunkVacuum) vacuumTable(ctx context.Context, removed int64) (why, remedy string, err error) {
	name, err := v.store.TableName(ctx)
	if err != nil || name == "" {
		return "", "", err
	}
	locked := false
	conn, err := connect(ctx, v.url, func(_ *pgconn.PgConn, n *pgconn.Notice) { locked = locked || n.Code == lockNotAvailable })
	if err != nil {
		return "", "", err
	}
	defer closeSession(ctx, conn)
	tables, err := vacuum.ReadTables(ctx, conn, []string{name})
	if err != nil || len(tables) == 0 || tables[0].HNSWVersion == "" {
		return "", "", pgerr.Translate(err, "read what the chunks take")
	}
	t := tables[0]
	if !t.MayVacuum {
		return "role " + t.Role + " may not vacuum " + t.Name, t.Remedy(), nil
	}
	began := time.Now()
	if err := t.VacuumQuietly(ctx, conn); err != nil {
		return "", t.Remedy(), pgerr.Translate(err, "vacuum %s", t.Name)
	}
	if locked {
		return "somebody else has " + t.Name + " locked, or vacuums it", t.Remedy(), nil
	}
	if after, err := vacuum.ReadTables(ctx, conn, []string{name}); err == nil && len(after) > 0 && after[0].IsVacuumedSince(t) && after[0].Dead >= removed {
		return "a transaction that is still open keeps the rows that were deleted from " + t.Name, t.Remedy(), nil
	}
	v.log.Info().Str("table", t.Name).Int64("chunks", removed).Dur("took", time.Since(began)).
		Msg("vacuumed, so that searches find what is left near the chunks that went")
	return "", "", nil
}

// lockNotAvailable is the SQLSTATE of the warning that a table was left out.
const lockNotAvailable = "55P03"
