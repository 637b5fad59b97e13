package repo_test

import (
	"errors"
	"fmt"

	"pruned/repo"
)

// The kind of a failure says what its handler does: try again, wait for a person, or look
// for the row that is at fault. It survives wrapping.
func ExampleKindOf() {
	deadlock := &repo.Error{Kind: repo.Passing, SQLState: "40P01", Doing: "delete 3 rows of table file", Err: errors.New("deadlock detected")}
	full := repo.EnvironmentError("write a tombstone", errors.New("no space left on device"))
	for _, err := range []error{
		fmt.Errorf("handle a batch: %w", deadlock),
		errors.Join(errors.New("close"), full),
		errors.New("an error that no engine translated"),
	} {
		switch kind := repo.KindOf(err); kind {
		case repo.Unknown, repo.Passing:
			fmt.Println(kind, "- the same batch again")
		case repo.Environment:
			fmt.Println(kind, "- nothing is fetched until it is mended")
		case repo.Permanent:
			fmt.Println(kind, "- the batch is halved until one row is left")
		}
	}
	// Output:
	// passing - the same batch again
	// environment - nothing is fetched until it is mended
	// permanent - the batch is halved until one row is left
}

// An error says what was being done to which thing, and keeps its cause.
func ExampleError() {
	cause := errors.New("a trigger forbids it")
	err := fmt.Errorf("event 42: %w", &repo.Error{Kind: repo.Permanent, SQLState: "P0001", Doing: "delete 1 rows of table file", Err: cause})
	fmt.Println(err)
	fmt.Println(errors.Is(err, cause), repo.KindOf(err), repo.SQLState(err))
	// Output:
	// event 42: delete 1 rows of table file: a trigger forbids it
	// true permanent P0001
}

// A store that lies in the database, or alone in a folder, shows by its content whose it
// is. A server or a bucket does not, and waits for a person, as does a store of which
// nothing is known.
func ExampleStoreInfo_ShowsOwner() {
	for _, store := range []repo.StoreInfo{
		{Name: "pgvector", InDatabase: true},
		{Name: "uploads", Folder: "/app/backend/data/uploads"},
		{Name: "s3://bucket"},
		{},
	} {
		fmt.Printf("%q %t\n", store.Name, store.ShowsOwner())
	}
	// Output:
	// "pgvector" true
	// "uploads" true
	// "s3://bucket" false
	// "" false
}
