package postgres

// The exceptions to "any living row of any table keeps the file". Each is a
// table of Open WebUI's schema whose rows mention files without using them. More
// are set by PRUNED_IGNORE and PRUNED_CITATIONS.
var exceptions = []string{
	"file",            // every row names itself, and some list what else was in their request
	vectorTable,       // the vectors: they follow the file
	"alembic_version", // the schema's revision
	"config_old",      // a copy that a migration left behind and nothing reads
	"access_grant",    // leftovers of file.access_control, which nothing reads
}

const vectorTable = "document_chunk"

// Base types that cannot hold the text of an id. Every other type counts, those
// that nobody knows yet too. Arrays and domains are what their elements and
// base types are. An id that looks like a value of theirs is not searched at all
// (repo.ValueShape).
var textless = []string{
	"bool", "int2", "int4", "int8", "float4", "float8", "numeric", "money", "oid", "xid", "xid8", "cid", "tid",
	"date", "time", "timetz", "timestamp", "timestamptz", "interval",
	"bit", "varbit", "point", "line", "lseg", "box", "path", "polygon", "circle",
	"inet", "cidr", "macaddr", "macaddr8",
	"vector", "halfvec", "sparsevec",
}
