package openwebui

// Column is one of a table, with its type as PostgreSQL calls it.
type Column struct{ Name, Type string }

// FileColumns are those of table file that pruned reads (models/files.py).
var FileColumns = []Column{
	{"id", "varchar"}, {"path", "text"}, {"data", "json"}, {"meta", "json"}, {"created_at", "bigint"}, {"updated_at", "bigint"},
}

// ProcessingStatuses are the values of data.status while a file is being read
// (routers/files.py, routers/retrieval.py).
var ProcessingStatuses = []string{"pending", "processing"}

// VectorTable is where the vectors are if they are in PostgreSQL
// (retrieval/vector/dbs/pgvector.py). Its rows follow the file and keep none; a table of
// that name in SQLite is somebody else's.
const VectorTable = "document_chunk"

// NotReferences are the exceptions to "any living row of any table keeps the file".
// Each is a table whose rows mention files without using them.
var NotReferences = []string{
	"file",            // every row names itself, and some list what else was in their request
	"alembic_version", // the schema's revision
	"config_old",      // a copy that a migration left behind and nothing reads
	"access_grant",    // leftovers of file.access_control, which nothing reads
}
