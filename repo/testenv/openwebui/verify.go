package openwebui

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
)

// enough is more chunks than any knowledge base of a World holds, so that a text that is there is
// found however the vector index orders it.
const enough = 200

// Verify asks the application for every file that must stay: its row, its bytes, and its text from
// its own collection and from its knowledge base. The error names each file that is not whole.
func Verify(ctx context.Context, app *App, world World) error {
	var missing []error
	for _, file := range world.Used {
		if err := whole(ctx, app, file); err != nil {
			missing = append(missing, fmt.Errorf("%s (%s) in %s: %w", file.ID, file.Name, file.Place, err))
		}
	}
	return errors.Join(append(missing, verifyCollections(ctx, app, world))...)
}

func whole(ctx context.Context, app *App, file File) error {
	if _, err := app.GetFile(ctx, file.ID); err != nil {
		return err
	}
	content, err := app.FileContent(ctx, file.ID)
	if err != nil {
		return err
	}
	if string(content) != file.Text {
		return fmt.Errorf("its content is another: %q", tail(content))
	}
	if file.Processed {
		if err := answers(ctx, app, FileCollection(file.ID), file); err != nil {
			return err
		}
	}
	if file.Knowledge != "" {
		return answers(ctx, app, file.Knowledge, file)
	}
	return nil
}

func answers(ctx context.Context, app *App, collection string, file File) error {
	found, err := holds(ctx, app, collection, file)
	if err == nil && !found {
		err = fmt.Errorf("collection %s does not answer with its text", collection)
	}
	return err
}

// holds asks a collection for the file's first sentence.
func holds(ctx context.Context, app *App, collection string, file File) (bool, error) {
	texts, err := app.QueryCollection(ctx, collection, file.Lead(), enough)
	mentions := func(text string) bool { return strings.Contains(text, file.Lead()) }
	return slices.ContainsFunc(texts, mentions), err
}

// VerifyPruned asks for every file that nothing uses: none may have a row, bytes or vectors left, in a
// collection of its own or in a knowledge base. The error names each that has.
func VerifyPruned(ctx context.Context, app *App, world World) error {
	var left []error
	for _, file := range slices.Concat(world.Unused, world.Gone) {
		if err := absent(ctx, app, file); err != nil {
			left = append(left, fmt.Errorf("%s (%s) in %s: %w", file.ID, file.Name, file.Place, err))
		}
	}
	return errors.Join(left...)
}

func absent(ctx context.Context, app *App, file File) error {
	_, err := app.GetFile(ctx, file.ID)
	var answer *StatusError
	if err == nil {
		return errors.New("its row is left")
	}
	if !errors.As(err, &answer) || answer.Status != http.StatusNotFound {
		return err
	}
	bytes, err := filepath.Glob(filepath.Join(app.UploadDir(), file.ID+"*"))
	if err != nil {
		return err
	}
	if len(bytes) > 0 {
		return fmt.Errorf("its bytes are left: %v", bytes)
	}
	texts, err := app.QueryCollection(ctx, FileCollection(file.ID), file.Lead(), 1)
	if err != nil {
		return err
	}
	if len(texts) > 0 {
		return errors.New("its vectors are left")
	}
	if file.Knowledge == "" {
		return nil
	}
	found, err := holds(ctx, app, file.Knowledge, file)
	if err == nil && found {
		err = errors.New("its vectors are left in a knowledge base")
	}
	return err
}
