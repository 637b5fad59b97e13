package pgvector

import (
	"fmt"
	"strings"

	"pruned/vectors"
)

// plainFileID is the id of a chunk's file in a table that is not encrypted.
const plainFileID = `vmetadata->>'file_id'`

// plainNamed is the condition that a chunk there is one of Open WebUI's.
const plainNamed = `vmetadata ? '` + vectors.NameKey + `'`

// encryptedFileID is the same in an encrypted one, of chunks that are Open WebUI's, and
// key the number of the parameter that decrypts: a call of what readableSQL makes.
func encryptedFileID(key int) string {
	return fmt.Sprintf(`pg_temp.pruned_member(vmetadata, $%d::text, 'file_id')`, key)
}

// unowned is what limits a search to collections that belong to no single file.
// The index has the same words for its predicate.
const unowned = `collection_name NOT LIKE 'file-%'`

// shared limits it further to collections that are Open WebUI's by their names, and
// to its own chunks there.
var shared = unowned + ` AND ` + sharedCondition("collection_name") + ` AND {named}`

// sharedCondition is vectors.IsShared in SQL, without a regular expression that counts, which
// takes PostgreSQL fifty times as long, and without translate, which takes it eight times: it
// is asked of every row of a table.
func sharedCondition(name string) string {
	return `(` + uuidCondition(name) + ` OR length(` + name + `) IN (63, 64) AND ` + name + ` !~ '[^0-9a-f]')`
}

// uuidCondition holds for names of the shape of a UUID that have no further dash in it.
func uuidCondition(name string) string {
	return name + ` LIKE '________-____-____-____-____________' AND ` + name + ` !~ '[^0-9a-f-]' AND ` + name + ` NOT LIKE '%-%-%-%-%-%'`
}

// knownCondition is vectors.IsKnown.
func knownCondition(name string) string {
	return `(` + sharedCondition(name) + ` OR starts_with(` + name + `, 'file-') AND ` + uuidCondition(`substr(`+name+`, 6)`) + `
    OR ` + name + ` LIKE 'user-memory-_%' OR ` + name + ` LIKE 'web-search-_%' OR ` + name + ` = '` + vectors.KnowledgeNames + `')`
}

// deleteSQL deletes what {taken}, an array of ctids, holds. The rows were
// locked for it in the same statement, so that nothing can move them before
// they are deleted; one that was changed just before it was locked is not in
// the statement's snapshot, and stays. ONLY, because a ctid means nothing
// outside its own table.
const deleteSQL = `DELETE FROM ONLY {table} WHERE ctid = ANY({taken})`

// The rows of whole collections and those in shared ones, each found by its index
// and in the order in which they lie in the table: in any other, half the time
// goes into pages that are read twice. The array comes out of a sub-select, so
// that the planner takes it for a short one and uses the index also where it has
// no statistics, as after a restore; with a plain "= ANY ($1)" it reads the whole
// table then.
var (
	takeCollections = `ARRAY(
    SELECT ctid FROM ONLY {table} WHERE collection_name = ANY(ARRAY(SELECT unnest($1::text[])))
       FOR UPDATE SKIP LOCKED)`

	takeShared = `ARRAY(
    SELECT ctid FROM ONLY {table} WHERE {file_id} = ANY(ARRAY(SELECT unnest($2::text[]))) AND ` + shared + `
       FOR UPDATE SKIP LOCKED)`

	// takeByScan is for everything that no index finds: one pass, however
	// many files.
	takeByScan = `ARRAY(
    SELECT ctid FROM ONLY {table}
     WHERE collection_name = ANY($1::text[]) OR (` + shared + ` AND {file_id} = ANY($2::text[]))
       FOR UPDATE SKIP LOCKED)`
)

// leftSQL tells by a row that something is left which somebody else held. A
// sub-select with a limit is not merged either.
var leftSQL = `
SELECT FROM unnest($1::text[]) AS f (collection), LATERAL (
    SELECT FROM ONLY {table} WHERE collection_name = f.collection LIMIT 1) AS c
 UNION ALL
SELECT FROM unnest($2::text[]) AS f (id), LATERAL (
    SELECT FROM ONLY {table} WHERE {file_id} = f.id AND ` + shared + ` LIMIT 1) AS c
 LIMIT 1`

// deleteStatement is the statement that deletes what is taken so.
func (t *table) deleteStatement(taken string) string {
	return t.expandNames(strings.Replace(deleteSQL, "{taken}", taken, 1))
}

// expandNames puts the table's name and the file's id into a statement.
func (t *table) expandNames(statement string) string {
	return strings.NewReplacer("{table}", t.quotedName(), "{file_id}", t.fileID, "{named}", t.namedCondition(), "{created_by}", strings.Replace(t.fileID, "'file_id'", "'created_by'", 1)).Replace(statement)
}

func (t *table) namedCondition() string {
	if t.encrypted {
		return "true"
	}
	return plainNamed
}
