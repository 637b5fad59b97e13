// Package refindex is the reference index: it answers "which living row mentions this
// file?" without reading every row for each question.
//
// Its central idea is the row version. PostgreSQL stamps every version of a row with
// the number of the transaction that wrote it (xmin). The index holds, for each table,
// a mark W: a number below which every transaction had ended when a pass took it.
// The index is true for row versions older than W; younger ones are read when somebody
// asks. Both are seen by one statement, in one snapshot.
//
// Why nothing is missed. A committed mention of a file lies in some row version v that
// the snapshot of the question sees.
//
//  1. v is in a table that was searched. Every table of the application's schema is,
//     with its partitions and children wherever they are; so is every table elsewhere
//     that the role may read. The recheck reports the digest of the catalog that it
//     saw, and answers for other tables than that are thrown away. A table
//     that may not be read, or that lost its rows in a crash, is an error and no gap.
//  2. v is not older than W: its table's own branch reads its text, unless there can be no
//     such v in any table (see quiet), or triggers noted its key (see capture.go), or an
//     earlier recheck has read it (see readings.go).
//  3. v is older than W, and the file was known when v was read: pruned.reference names
//     the row. It names it by its key, and a row with the key that did not change
//     since W is v itself. A row that changed has its new version read by case 2.
//  4. v is older than W, and the file was not known when v was read: pruned.mentioned
//     holds its UUID, so that the pass which meets the file gives it a later
//     generation, and the file counts as unknown, which keeps it, until every
//     table has been read whole in that generation. Ids that are no UUID get one too.
//  5. Numbers wrap around and databases are restored. Marks are compared by age(), and
//     what looks younger than the snapshot's end is as old as a row can be. A mark from
//     a future that the cluster has not seen, or one that is far behind, or an index of
//     another database, makes every answer an error, and the next pass begins anew.
//  6. A database's own index may be blind to rows that are there. "No row" is therefore
//     asked once more of the table itself before it is believed.
//
// All of that holds for names of collections (pruned.name) as it does for files: they are
// in pruned.known_file like these, marked as no files.
//
// A mention that is not committed yet is seen by nobody. RecheckReferences finds what was
// committed after the first answer; a transaction that wrote before it and is still
// open is named by the answer, and keeps every file that it may mention.
//
// What vanished is in nobody's way: every reader of the index asks for the row as well,
// and a row without the parent that it lives by counts as none.
//
// The package knows neither how a transaction is begun nor what becomes of a file.
package refindex
