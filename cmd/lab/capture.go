package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// The writes of an application are measured in short turns, by turns with the triggers that
// capture rows and without.
const (
	captureTurns      = 20
	writesPerTurn     = 250
	withTriggersSQL   = `ALTER TABLE chat ENABLE TRIGGER USER; ALTER TABLE chat_message ENABLE TRIGGER USER`
	withoutCaptureSQL = `ALTER TABLE chat DISABLE TRIGGER USER; ALTER TABLE chat_message DISABLE TRIGGER USER`
	// A chat of 8 KB is written anew, and a message added, as by each answer of a model.
	writeAnswerSQL = `
WITH picked AS (SELECT id FROM chat OFFSET floor(random() * 1000) LIMIT 1), written AS (
    INSERT INTO chat_message (id, chat_id, user_id, role, content, created_at, updated_at)
    SELECT id || '-' || gen_random_uuid(), id, user_id, 'assistant', '"It says this and that."', 1700000000, 1700000000 FROM chat JOIN picked USING (id)
)
UPDATE chat SET chat = json_build_object('title', 'A chat', 'text', repeat(md5(random()::text), 256)), updated_at = updated_at + 1 WHERE id = (SELECT id FROM picked)`
)

// measureScaleCapture has rows captured, and measures what that costs the application.
func (w *world) measureScaleCapture(ctx context.Context, t *scaleTable) error {
	if _, _, err := w.runProgram(ctx, nil, nil, nil, "migrate", "--capture"); err != nil {
		return err
	}
	var with, without []time.Duration
	err := w.withConn(ctx, func(conn *pgx.Conn) error {
		for turn := range captureTurns {
			sql, took := withTriggersSQL, &with
			if turn%2 == 0 {
				sql, took = withoutCaptureSQL, &without
			}
			if _, err := conn.Exec(ctx, sql); err != nil {
				return err
			}
			if err := writeAnswers(ctx, conn, took); err != nil {
				return err
			}
		}
		_, err := conn.Exec(ctx, withTriggersSQL+`; ALTER TABLE chat ENABLE REPLICA TRIGGER pruned_captures_replica; ALTER TABLE chat_message ENABLE REPLICA TRIGGER pruned_captures_replica`)
		if err == nil {
			_, err = conn.Exec(ctx, `VACUUM ANALYZE`)
		}
		return err
	})
	if err != nil {
		return err
	}
	t.add("median of an application's writes, rows captured, of not", "%.2f ms of %.2f (%.2f)",
		quantile(with, 0.5), quantile(without, 0.5), quantile(with, 0.5)/quantile(without, 0.5))
	for range 2 { // two passes, after which looks rest on it
		_, sweepErr := w.runSweep(ctx, sweepAll)
		err = errors.Join(err, sweepErr)
	}
	return err
}

func writeAnswers(ctx context.Context, conn *pgx.Conn, took *[]time.Duration) error {
	for range writesPerTurn {
		began := time.Now()
		if _, err := conn.Exec(ctx, writeAnswerSQL); err != nil {
			return err
		}
		*took = append(*took, time.Since(began))
	}
	return nil
}
