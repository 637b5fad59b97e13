package repo

import "context"

// Labeller tells what people know files, rows and users by. Names are what users wrote:
// they may hold anything, and belong into no log and no error.
type Labeller interface {
	// LabelFiles tells of those of these files that have a row.
	LabelFiles(ctx context.Context, ids []string) (map[string]FileLabel, error)

	// LabelRows tells of rows of one table of the application's, by their keys, what they
	// are or belong to, as far as openwebui.Titles knows.
	LabelRows(ctx context.Context, table string, keys []string) (map[string]RowLabel, error)

	// NameUsers tells the names of those of these users that there are.
	NameUsers(ctx context.Context, ids []string) (map[string]string, error)
}

// FileLabel is what the row of a file says of it to people.
type FileLabel struct {
	Name   string // under which it was uploaded
	Owner  string // id of a user
	Size   int64  // of its bytes, as far as the row tells
	Status string // of its processing; empty where the application keeps none
}

// RowLabel is what a row is, or belongs to.
type RowLabel struct {
	Title string
	Owner string // id of a user
}
