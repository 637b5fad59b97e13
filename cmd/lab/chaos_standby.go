package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5"

	"pruned/consumer/loop"
)

func addStandby(ctx context.Context, r *ruin) (err error) {
	r.standby, err = r.world.server.Standby(ctx)
	return err
}

func addSynchronousStandby(ctx context.Context, r *ruin) error {
	if err := addStandby(ctx, r); err != nil {
		return err
	}
	return r.world.withConn(ctx, func(conn *pgx.Conn) error {
		for _, sql := range []string{`ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
}

// failOver promotes the standby in the place of a server that was killed.
func failOver(ctx context.Context, r *ruin) error {
	err := errors.Join(r.world.server.Kill(), r.standby.Promote(ctx), r.network.database.lead(r.standby.Address()))
	r.world.url = r.standby.URL(r.world.database)
	return err
}

func killStandby(_ context.Context, r *ruin) error {
	r.later(r.standby.Restart)
	return r.standby.Kill()
}

func leadToStandby(_ context.Context, r *ruin) error {
	r.later(func(context.Context) error { return r.network.database.lead(r.world.server.Address()) })
	return r.network.database.lead(r.standby.Address())
}

// addDistantStandby adds a synchronous standby that follows its server by a network of its
// own.
func addDistantStandby(ctx context.Context, r *ruin) (err error) {
	if err := addSynchronousStandby(ctx, r); err != nil {
		return err
	}
	if r.way, err = openLink(r.world.server.Address()); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(r.way.address())
	if err != nil {
		return err
	}
	standby, err := pgx.Connect(ctx, r.standby.URL("postgres"))
	if err != nil {
		return err
	}
	return errors.Join(followBy(ctx, standby, port), standby.Close(ctx))
}

// followBy returns once a standby follows its server by another port.
func followBy(ctx context.Context, standby *pgx.Conn, port string) error {
	for _, sql := range []string{fmt.Sprintf(`ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=%s user=postgres'`, port), `SELECT pg_reload_conf()`} {
		if _, err := standby.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return await(ctx, limit, func() error {
		var follows bool
		err := standby.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE sender_port::text = $1 AND status = 'streaming')`, port).Scan(&follows)
		if err == nil && !follows {
			err = errors.New("the standby does not follow its server")
		}
		return err
	})
}

// breakWay breaks the network between a server and its standby: until it is mended no commit
// is answered.
func breakWay(how func(*link) error) func(context.Context, *ruin) error {
	return func(_ context.Context, r *ruin) error {
		r.later(r.way.restore)
		return how(r.way)
	}
}

// failOverCutOff fails over when commits have waited for a standby in vain: their server had
// them, and the standby that takes its place has not.
func failOverCutOff(ctx context.Context, r *ruin) error {
	if err := r.way.cut(); err != nil {
		return err
	}
	loop.Sleep(ctx, unnoticed)
	return failOver(ctx, r)
}
