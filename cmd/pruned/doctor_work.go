package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pruned/consumer/sweep"
	"pruned/repo"
	"pruned/vectors"
)

// workFindings tells what is left to do in the stores, and what it waits for.
// Before the first run there are no tables that could say so.
func (r *doctorCmd) workFindings(ctx *runContext, a *app) (found []finding) {
	stores := map[string]repo.StoreInfo{repo.Vectors: {}, repo.Bytes: {}} // those that could not be opened
	if a.store != nil {
		stores[repo.Vectors] = repo.StoreInfo(a.store.Info())
	}
	if a.blobs != nil {
		stores[repo.Bytes] = a.blobs.Info()
	}
	for _, kind := range []string{repo.Vectors, repo.Bytes} {
		for _, ask := range []func(context.Context, *app, string, repo.StoreInfo) (finding, error){bindingFinding, tombstoneFinding} {
			f, err := ask(ctx, a, kind, stores[kind])
			switch {
			case err != nil && repo.KindOf(err) == repo.Environment:
			case err != nil:
				found = append(found, finding{Check: kind, Detail: err.Error()})
			case f.Check != "":
				found = append(found, f)
			}
		}
	}
	found = append(found, ownerFindings(ctx, a)...)
	found = append(append(found, strayFindings(ctx, a)...), holdFindings(ctx, a)...)
	return append(found, trashFindings(ctx, a)...)
}

// elsewhereFindings tells of a database that ran at another place before.
func elsewhereFindings(a *app) []finding {
	elsewhere := a.db.Identity().Elsewhere
	if elsewhere == "" {
		return nil
	}
	return []finding{{Check: "installation", OK: true,
		Detail: "this database ran at " + elsewhere + " before: it is a copy, or was moved, and another installation than that one",
		Remedy: "see that DATA_DIR and the vector store are its own; `pruned sweep` shows what waits until somebody says so"}}
}

// unsearchableFindings tells of files that are kept for ever.
func unsearchableFindings(ctx context.Context, a *app) []finding {
	kept, err := a.db.CountUnsearchable(ctx)
	switch {
	case err != nil:
		return []finding{{Check: "ids", Detail: err.Error()}}
	case kept.Files == 0:
		return nil
	}
	return []finding{{Check: "ids", OK: true, Detail: kept.String(), Remedy: "delete those that nobody needs in Open WebUI"}}
}

// strayFindings tells of what was entombed when this database was another one.
func strayFindings(ctx context.Context, a *app) []finding {
	n, whose, err := a.db.CountForeignTombstones(ctx)
	switch {
	case err != nil && repo.KindOf(err) == repo.Environment:
		return nil
	case err != nil:
		return []finding{{Check: "strays", Detail: err.Error()}}
	case n == 0:
		return nil
	}
	return []finding{{Check: "strays", OK: true,
		Detail: fmt.Sprintf("%d tombstones are another installation's (%s, this is %s): the database was copied, moved or restored. They are never carried out",
			n, whose, a.db.Identity().Key),
		Remedy: "nothing: sweeps find again what they name, where this installation may remove it"}}
}

// bindingFinding tells whether anything in a store may be removed.
func bindingFinding(ctx context.Context, a *app, _ string, store repo.StoreInfo) (finding, error) {
	if store.Name == "" {
		return finding{}, nil // it could not be opened
	}
	f := finding{Check: "store", OK: true, Detail: store.Name + " is bound to this installation"}
	if mark := store.Mark(); mark != nil {
		owner, err := mark.Owner()
		if err != nil {
			return f, err
		}
		if owner != "" && owner != a.db.Identity().Key {
			return finding{Check: "store", Detail: fmt.Sprintf("%s (%s) is marked as another installation's (%s; this is %s): nothing in it is removed", store.Name, store.Folder, owner, a.db.Identity().Key),
				Remedy: "set DATA_DIR and DATABASE_URL as this installation's Open WebUI has them; where it was moved or restored, pruned sweep shows what it finds, and how to let it go"}, nil
		}
	}
	bound, err := repo.IsApproved(ctx, a.db, nil, store)
	if err == nil && !bound {
		f.Detail = store.Name + " is not bound to this installation yet: nothing in it is removed before"
		f.Remedy = "pruned sweep binds it if it is in this database or folder and most of it is this installation's; else it shows what it finds, and how to let it go"
	}
	return f, err
}

// ownerFindings tells of what is not this installation's, or lost its links.
func ownerFindings(ctx context.Context, a *app) (found []finding) {
	if a.store != nil {
		names, err := sweep.ForeignCollections(ctx, a.db, a.store)
		if err == nil && len(names) > 0 {
			found = append(found, finding{Check: "collections", OK: true,
				Detail: fmt.Sprintf("%d are not Open WebUI's, and are never looked into or touched: %s", len(names), strings.Join(names, ", "))})
		}
	}
	var schemas, links []string
	err := a.db.InTx(ctx, nil, func(tx repo.Tx) (err error) {
		if schemas, err = a.db.ListNeighbours(ctx, tx); err == nil {
			links, err = a.db.EmptyLinks(ctx, tx)
		}
		return err
	})
	if err != nil && repo.KindOf(err) != repo.Environment {
		found = append(found, finding{Check: "ownership", Detail: err.Error()})
	}
	if len(schemas) > 0 {
		found = append(found, finding{Check: "neighbours", OK: true, Detail: "this database also has another installation in schema " + strings.Join(schemas, ", ") + ": " +
			"vectors here are removed only once somebody has said that they are this one's", Remedy: "pruned sweep tells how"})
	}
	for _, table := range links {
		found = append(found, finding{Check: "lost links", OK: true, Warn: true, Detail: "table " + table + " is empty, though there are chats with files or knowledge bases: were its rows lost in a migration or restore?",
			Remedy: "restore it; files that only it kept are held by sweeps until `pruned sweep --confirm`"})
	}
	return found
}

func tombstoneFinding(ctx context.Context, a *app, kind string, store repo.StoreInfo) (finding, error) {
	waiting, err := a.db.Backlog(ctx, repo.KindsIn(kind)...)
	if err != nil {
		return finding{}, err
	}
	f := finding{Check: "tombstones of " + kind, OK: true, Detail: "none waits"}
	if waiting.Count == 0 {
		return f, nil
	}
	bound, err := repo.IsApproved(ctx, a.db, nil, store)
	if err != nil {
		return f, err
	}
	switch f.Detail = fmt.Sprintf("%d wait, the first is due in %s", waiting.Count, waiting.DueIn.Round(time.Second)); {
	case !bound:
		f.Detail = fmt.Sprintf("%d wait until %s is bound to this installation", waiting.Count, store.Name)
		f.Remedy = "pruned sweep tells how"
	case waiting.DueIn < 0:
		f.Detail = fmt.Sprintf("%d wait, the first is overdue by %s", waiting.Count, -waiting.DueIn.Round(time.Second))
		f.Warn = true
		f.Remedy = "pruned run carries them out"
	}
	if waiting.Retried > 0 {
		f.Detail += "; " + sweep.FormatCount(waiting.Retried, "removals were tried and put off: ") + waiting.Reason
	}
	return f, nil
}

// holdFindings tells what a sweep held back.
func holdFindings(ctx context.Context, a *app) (found []finding) {
	holds, err := a.db.ListHolds(ctx)
	if err != nil && repo.KindOf(err) != repo.Environment {
		found = append(found, finding{Check: "held", Detail: err.Error()})
	}
	for _, h := range holds {
		found = append(found, finding{Check: "held", OK: true, Warn: true,
			Detail: fmt.Sprintf("%d of %d, direction %s, store %s: %s", h.Found, h.Total, h.Direction, h.Store, h.Reason),
			Remedy: "look at `pruned sweep --dry-run`; `pruned sweep --confirm " + h.ID + "` lets them go"})
	}
	return found
}

// unreadableFindings tells of chunks that nobody can say whose they are.
func unreadableFindings(ctx context.Context, a *app) []finding {
	store, ok := a.store.(vectors.Encrypted)
	if !ok {
		return nil
	}
	n, of, err := store.Unreadable(ctx)
	if err != nil || n == 0 {
		return nil // what is wrong with the store another line says
	}
	return []finding{{Check: "vectors", Detail: fmt.Sprintf("PGVECTOR_PGCRYPTO_KEY does not decrypt %d of the %d chunks in shared collections that were tried: whose they are nobody can tell, and they are never removed", n, of),
		Remedy: "let the application make their knowledge bases anew, which encrypts them with the key of today"}}
}
