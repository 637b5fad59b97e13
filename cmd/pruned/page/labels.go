package page

import (
	"context"

	"pruned/repo"
)

// readLabels reads what people know files by, by their ids, and the names of their owners, by
// theirs.
func readLabels(ctx context.Context, open *Open, ids []string) (labels map[string]repo.FileLabel, names map[string]string, err error) {
	if labels, err = open.DB.LabelFiles(ctx, ids); err != nil {
		return nil, nil, err
	}
	var owners []string
	for _, label := range labels {
		owners = append(owners, label.Owner)
	}
	names, err = open.DB.NameUsers(ctx, owners)
	return labels, names, err
}
