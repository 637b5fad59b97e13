package prune_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"pruned/consumer/event"
	"pruned/consumer/internal/fixture"
	"pruned/consumer/prune"
	"pruned/repo"
	"pruned/repo/testenv"
)

// attachment is a way in which the application writes a file's id that takes no
// lock on the file's row.
type attachment struct {
	name   string
	before func(t *testing.T, i *fixture.Installation) string    // what was there long before
	attach func(t *testing.T, db testenv.DB, there, file string) // commits, unless db is a transaction
}

func execute(t *testing.T, db testenv.DB, sql string, args ...any) {
	t.Helper()
	_, err := db.Exec(context.Background(), sql, args...)
	require.NoError(t, err)
}

func none(*testing.T, *fixture.Installation) string { return "" }

var mentions = []attachment{
	{"a new chat", none, func(t *testing.T, db testenv.DB, _, file string) {
		testenv.InsertChat(t, db, testenv.Chat{Files: []string{file}})
	}},
	{"a chat", func(t *testing.T, i *fixture.Installation) string {
		return testenv.InsertChat(t, i.Pool, testenv.Chat{}).ID
	},
		func(t *testing.T, db testenv.DB, chat, file string) {
			execute(t, db, `UPDATE chat SET chat = jsonb_set(chat::jsonb, '{files}', jsonb_build_array(jsonb_build_object('type', 'file', 'id', $2::text)))::json WHERE id = $1`, chat, file)
		}},
	{"a new note", none, func(t *testing.T, db testenv.DB, _, file string) { testenv.InsertNote(t, db, file) }},
	{"a note", func(t *testing.T, i *fixture.Installation) string { return testenv.InsertNote(t, i.Pool) },
		func(t *testing.T, db testenv.DB, note, file string) {
			execute(t, db, `UPDATE note SET data = jsonb_build_object('content', jsonb_build_object('md', '![](/api/v1/files/' || upper($2::text) || '/content)'))::json WHERE id = $1`, note, file)
		}},
}

// bystanders are deleted by the same transaction, whatever becomes of the file.
const bystanders = 2

func TestMentionKeepsTheFile(t *testing.T) {
	t.Parallel()
	for _, m := range mentions {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			i := fixture.Install(t)
			for _, step := range steps {
				file, others, there := i.AddFile(t), i.AddFiles(t, bystanders), m.before(t, i)
				i.RefreshIndex(t)
				x := stepped(i.NewTransaction(), step, func() { m.attach(t, i.Pool, there, file) })
				keeps(t, i, step, fixture.RunTransaction(t, x, append(others, file)...), file, others)
			}
		})
	}
}

// The application may have written long before it commits, so that its row's
// version is older than our own transaction, and than the looks.
func TestMentionOfAnOlderTransactionKeepsTheFile(t *testing.T) {
	t.Parallel()
	for _, m := range mentions {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			i := fixture.Install(t)
			for _, step := range steps {
				file, others, there := i.AddFile(t), i.AddFiles(t, bystanders), m.before(t, i)
				i.RefreshIndex(t)
				writer := begin(t, i)
				m.attach(t, writer, there, file)
				// Passes that run meanwhile must not forget it.
				i.RefreshIndex(t)
				x := stepped(i.NewTransaction(), step, func() { require.NoError(t, writer.Commit(context.Background())) })
				keeps(t, i, step, fixture.RunTransaction(t, x, append(others, file)...), file, others)
			}
		})
	}
}

// A pass that reads the mention between the two looks moves the mark beyond it, and the
// second look finds it all the same.
func TestMentionThatAPassReadsKeepsTheFile(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	for _, step := range steps {
		file, others := i.AddFile(t), i.AddFiles(t, bystanders)
		i.RefreshIndex(t)
		x := stepped(i.NewTransaction(), step, func() {
			testenv.InsertNote(t, i.Pool, "see "+file)
			i.RefreshIndex(t)
		})
		keeps(t, i, step, fixture.RunTransaction(t, x, append(others, file)...), file, others)
	}
}

// What our own deletion takes away, or writes anew, mentions the file as any other row: by a
// key, by the key of what goes by a key, and by a trigger.
func TestMentionThatGoesWithTheFileKeepsIt(t *testing.T) {
	t.Parallel()
	for name, ddl := range map[string]string{
		"by a key that deletes": `CREATE TABLE extra (id text PRIMARY KEY, file_id text REFERENCES file ON DELETE CASCADE, note text)`,
		"by a key that empties": `CREATE TABLE extra (id text PRIMARY KEY, file_id text REFERENCES file ON DELETE SET NULL, note text)`,
		"by two keys": `CREATE TABLE node (id int PRIMARY KEY DEFAULT 1, file_id text REFERENCES file ON DELETE CASCADE);
			CREATE TABLE extra (id text PRIMARY KEY, file_id text, note text, node int DEFAULT 1 REFERENCES node ON DELETE CASCADE)`,
		"by a key to an heir of table file": `CREATE TABLE heir (PRIMARY KEY (id)) INHERITS (file);
			CREATE TABLE extra (id text PRIMARY KEY, file_id text REFERENCES heir ON DELETE CASCADE, note text)`,
		"by a trigger": `CREATE TABLE extra (id text PRIMARY KEY, file_id text, note text);
			CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.extra WHERE file_id = OLD.id; RETURN NULL; END $$;
			CREATE TRIGGER tidy AFTER DELETE ON file FOR EACH ROW EXECUTE FUNCTION tidy()`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := fixture.Install(t)
			i.Exec(t, ddl)
			file, others := i.AddFile(t), i.AddFiles(t, bystanders)
			i.RefreshIndex(t)
			switch name {
			case "by two keys":
				i.Exec(t, `INSERT INTO node VALUES (1, $1)`, file)
			case "by a key to an heir of table file":
				i.Exec(t, `WITH moved AS (DELETE FROM ONLY file WHERE id = $1 RETURNING *) INSERT INTO heir SELECT * FROM moved`, file)
			}
			i.Exec(t, `INSERT INTO extra VALUES ('of the file', $1, $1)`, file)
			keeps(t, i, "everything", fixture.RunTransaction(t, i.NewTransaction(), append(others, file)...), file, others)
		})
	}
}

// A trigger that somebody makes while a batch runs takes the mention away before it is read:
// the batch ends, and the next one reads everything first.
func TestTriggerThatComesWithinABatch(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	i.Exec(t, `CREATE TABLE extra (file_id text, note text, id int PRIMARY KEY DEFAULT 1)`)
	file := i.AddFile(t)
	i.RefreshIndex(t)
	i.Exec(t, `INSERT INTO extra VALUES ($1, $1)`, file)
	x := stepped(i.NewTransaction(), "vectors", func() {
		i.Exec(t, `CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.extra WHERE file_id = OLD.id; RETURN NULL; END $$`)
		i.Exec(t, `CREATE TRIGGER tidy AFTER DELETE ON file FOR EACH ROW EXECUTE FUNCTION tidy()`)
	})
	_, err := x.Run(t.Context(), fixture.Deliveries(1, file))
	require.Equal(t, repo.Passing, repo.KindOf(err), "%v", err)
	require.Equal(t, fixture.Whole, i.LeftOf(t, file))
	require.Equal(t, event.Kept, fixture.RunTransaction(t, x, file)[file].Outcome)
}

func keeps(t *testing.T, i *fixture.Installation, step string, results map[string]event.Result, file string, others []string) {
	t.Helper()
	i.DrainTombstones(t)
	require.Equal(t, event.Kept, results[file].Outcome, "attached before %s", step)
	require.Equal(t, fixture.Whole, i.LeftOf(t, file), "attached before %s", step)
	require.Zero(t, i.CountRecords(t, file))
	for _, other := range others {
		require.Equal(t, event.Deleted, results[other].Outcome)
		require.Equal(t, fixture.Nothing, i.LeftOf(t, other))
		require.Equal(t, 1, i.CountRecords(t, other))
	}
}

func begin(t *testing.T, i *fixture.Installation) pgx.Tx {
	t.Helper()
	tx, err := i.Conn(t).Begin(context.Background())
	require.NoError(t, err)
	return tx
}

// link is one of the application's link tables.
type link struct {
	table  string
	parent func(t *testing.T, i *fixture.Installation) string
}

var links = []link{
	{"knowledge_file", func(t *testing.T, i *fixture.Installation) string { return testenv.InsertKnowledge(t, i.Pool) }},
	{"chat_file", func(t *testing.T, i *fixture.Installation) string {
		return testenv.InsertChat(t, i.Pool, testenv.Chat{}).ID
	}},
	{"channel_file", func(t *testing.T, i *fixture.Installation) string { return testenv.InsertChannel(t, i.Pool) }},
}

func (l link) insert(ctx context.Context, db testenv.DB, parent, file string) error {
	column := l.table[:len(l.table)-len("_file")] + "_id"
	_, err := db.Exec(ctx, fmt.Sprintf(`INSERT INTO %s (id, user_id, %s, file_id, created_at, updated_at) VALUES ($1, $2, $3, $4, 1, 1)`, l.table, column),
		testenv.NewID(), testenv.UserID, parent, file)
	return err
}

// A link that comes before the lock keeps the file. One that comes later waits
// for us and then fails, as the application is told: nothing half is left.
func TestLinkKeepsTheFileOrFails(t *testing.T) {
	t.Parallel()
	for _, l := range links {
		t.Run(l.table, func(t *testing.T) {
			t.Parallel()
			i := fixture.Install(t)
			parent := l.parent(t, i)
			application := i.Conn(t)
			for _, step := range steps {
				file, others := i.AddFile(t), i.AddFiles(t, bystanders)
				i.RefreshIndex(t)
				if step == steps[0] {
					x := stepped(i.NewTransaction(), step, func() { require.NoError(t, l.insert(context.Background(), application, parent, file)) })
					keeps(t, i, step, fixture.RunTransaction(t, x, append(others, file)...), file, others)
					continue
				}
				attached := make(chan error, 1)
				x := stepped(i.NewTransaction(), step, func() {
					go func() { attached <- l.insert(context.Background(), application, parent, file) }()
					awaitWaiting(t, i, application)
				})
				results := fixture.RunTransaction(t, x, append(others, file)...)
				var refused *pgconn.PgError
				require.ErrorAs(t, fixture.Await(t, attached), &refused, "attached before %s", step)
				require.Equal(t, "23503", refused.Code)
				i.DrainTombstones(t)
				require.Equal(t, event.Deleted, results[file].Outcome)
				require.Equal(t, fixture.Nothing, i.LeftOf(t, file))
			}
		})
	}
}

// awaitWaiting returns when a session waits for a lock.
func awaitWaiting(t *testing.T, i *fixture.Installation, conn *pgx.Conn) {
	t.Helper()
	require.Eventually(t, func() bool {
		return testenv.Value[bool](t, i.Database, `SELECT wait_event_type IS NOT DISTINCT FROM 'Lock' FROM pg_stat_activity WHERE pid = $1`, conn.PgConn().PID())
	}, fixture.Patience, fixture.PollEvery)
}

// A link that is not committed yet holds the file's row: the file is busy, and
// kept as soon as it is.
func TestUncommittedLinkMakesTheFileBusy(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	for _, l := range links {
		file, parent := i.AddFile(t), l.parent(t, i)
		i.RefreshIndex(t)
		writer := begin(t, i)
		require.NoError(t, l.insert(context.Background(), writer, parent, file))
		require.Equal(t, event.Busy, fixture.RunTransaction(t, i.NewTransaction(), file)[file].Outcome, l.table)
		require.NoError(t, writer.Commit(context.Background()))
		require.Equal(t, event.Kept, fixture.RunTransaction(t, i.NewTransaction(), file)[file].Outcome, l.table)
		i.DrainTombstones(t)
		require.Equal(t, fixture.Whole, i.LeftOf(t, file), l.table)
	}
}

// In a database that was copied by hand nothing makes a link wait: it is noticed
// like a mention in JSON.
func TestLinkWithoutForeignKeyKeepsTheFile(t *testing.T) {
	t.Parallel()
	for _, l := range links {
		t.Run(l.table, func(t *testing.T) {
			t.Parallel()
			i := fixture.Install(t)
			for _, name := range testenv.Column[string](t, i.Database, `SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND confrelid = 'file'::regclass`, l.table) {
				i.Exec(t, fmt.Sprintf(`ALTER TABLE %s DROP CONSTRAINT %q`, l.table, name))
			}
			parent := l.parent(t, i)
			for _, step := range steps {
				file, others := i.AddFile(t), i.AddFiles(t, bystanders)
				i.RefreshIndex(t)
				x := stepped(i.NewTransaction(), step, func() { require.NoError(t, l.insert(context.Background(), i.Pool, parent, file)) })
				keeps(t, i, step, fixture.RunTransaction(t, x, append(others, file)...), file, others)
			}
		})
	}
}

// A row that appears under an id that had none keeps its vectors and bytes.
func TestRowThatAppearsKeepsVectorsAndBytes(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	for _, step := range slices.DeleteFunc(slices.Clone(steps), func(s string) bool { return s == "delete" }) { // there is no row
		file, others := testenv.NewID(), []string{testenv.NewID(), testenv.NewID()}
		for _, id := range append(others, file) {
			i.AddChunks(t, id)
			testenv.WriteBytes(t, i.Uploads, id, "document.pdf")
		}
		i.RefreshIndex(t)
		appear := func() { testenv.InsertFile(t, i.Pool, testenv.File{ID: file}) }
		x := i.NewTransaction()
		x.Ages.Orphan = time.Hour
		results := fixture.RunTransaction(t, stepped(x, step, appear), append(others, file)...)
		i.DrainTombstones(t)
		require.Equal(t, event.Young, results[file].Outcome, "appeared before %s, with an old date", step)
		require.Equal(t, fixture.Whole, i.LeftOf(t, file), "appeared before %s", step)
		for _, other := range others {
			require.Equal(t, event.Gone, results[other].Outcome)
			require.Equal(t, fixture.Nothing, i.LeftOf(t, other))
		}
	}
}

// What came into use and out of use again while the transaction ran is kept:
// its clock starts anew.
func TestMentionThatVanishesAgainKeepsTheFile(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	file := i.AddFile(t)
	i.RefreshIndex(t)
	x := stepped(i.NewTransaction(), "vectors", func() { testenv.InsertNote(t, i.Pool, file) })
	inner := x.DB
	x.DB = afterLastLook{inner, func() { i.Exec(t, `DELETE FROM note`) }}
	require.Equal(t, event.Kept, fixture.RunTransaction(t, x, file)[file].Outcome)
	require.Equal(t, fixture.Whole, i.LeftOf(t, file))
}

// A row that appeared and vanished again may do so once more: the id comes again.
func TestRowThatVanishesAgainIsBusy(t *testing.T) {
	t.Parallel()
	i := fixture.Install(t)
	id := testenv.NewID()
	i.AddFile(t)
	i.AddChunks(t, id)
	i.RefreshIndex(t)
	x := stepped(i.NewTransaction(), "vectors", func() { testenv.InsertFile(t, i.Pool, testenv.File{ID: id}) })
	x.DB = afterLastLook{x.DB, func() { i.Exec(t, `DELETE FROM file WHERE id = $1`, id) }}
	require.Equal(t, event.Busy, fixture.RunTransaction(t, x, id)[id].Outcome)
	require.Equal(t, fixture.Left{Chunks: fixture.ChunksOfAFile}, i.LeftOf(t, id))
}

// afterLastLook does something after each last look.
type afterLastLook struct {
	prune.Database
	do func()
}

func (d afterLastLook) RecheckReferences(ctx context.Context, tx repo.Tx, look repo.References, deleted, gone []string) (repo.Appeared, error) {
	late, err := d.Database.RecheckReferences(ctx, tx, look, deleted, gone)
	d.do()
	return late, err
}
