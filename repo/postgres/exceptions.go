package postgres

import "pruned/repo/openwebui"

// exceptions are the tables whose rows keep no file. More are set by PRUNED_IGNORE and
// PRUNED_CITATIONS.
var exceptions = append([]string{openwebui.VectorTable}, openwebui.NotReferences...)

// Base types that cannot hold the text of an id. Every other type counts, those
// that nobody knows yet too. Arrays and domains are what their elements and
// base types are. An id that looks like a value of theirs is not searched at all
// (mention.ValueShape).
var textless = []string{
	"bool", "int2", "int4", "int8", "float4", "float8", "numeric", "money", "oid", "xid", "xid8", "cid", "tid",
	"date", "time", "timetz", "timestamp", "timestamptz", "interval",
	"bit", "varbit", "point", "line", "lseg", "box", "path", "polygon", "circle",
	"inet", "cidr", "macaddr", "macaddr8",
	"vector", "halfvec", "sparsevec",
}
