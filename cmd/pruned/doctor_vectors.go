package main

import (
	"context"
	"fmt"
)

// unreadable is a store that cannot read everything in it.
type unreadable interface {
	Unreadable(ctx context.Context) (n, of int64, err error)
}

// unreadableFindings tells of chunks that nobody can say whose they are.
func unreadableFindings(ctx context.Context, p *parts) []finding {
	store, ok := p.store.(unreadable)
	if !ok {
		return nil
	}
	n, of, err := store.Unreadable(ctx)
	if err != nil || n == 0 {
		return nil // what is wrong with the store another line says
	}
	return []finding{{Check: "vectors", Detail: fmt.Sprintf("PGVECTOR_PGCRYPTO_KEY does not decrypt %d of the %d chunks in shared collections that were tried: whose they are nobody can tell, and they are never removed", n, of),
		Do: "let the application make their knowledge bases anew, which encrypts them with the key of today"}}
}
