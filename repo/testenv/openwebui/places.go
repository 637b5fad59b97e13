package openwebui

import "context"

// putter puts files somewhere in the application, all at once.
type putter func(ctx context.Context, owner *Client, files []string) (holding, error)

// holding is where a putter has put its files.
type holding struct {
	// knowledge is the id of the knowledge base that holds them at the end, if any.
	knowledge string
	// forget takes them away again; nil where they stay.
	forget func(ctx context.Context) error
}

func nowhere(context.Context, *Client, []string) (holding, error) { return holding{}, nil }

func chat(ctx context.Context, owner *Client, files []string) (holding, error) {
	_, err := owner.NewChat(ctx, Chat{Title: "Kept", Files: files})
	return holding{}, err
}

func deletedChat(ctx context.Context, owner *Client, files []string) (holding, error) {
	id, err := owner.NewChat(ctx, Chat{Title: "Deleted", Files: files})
	return holding{forget: func(ctx context.Context) error { return owner.DeleteChat(ctx, id) }}, err
}

func clonedChat(ctx context.Context, owner *Client, files []string) (holding, error) {
	id, err := owner.NewChat(ctx, Chat{Title: "Cloned, then deleted", Files: files})
	return holding{forget: func(ctx context.Context) error {
		if _, err := owner.CloneChat(ctx, id); err != nil {
			return err
		}
		return owner.DeleteChat(ctx, id)
	}}, err
}

func answeredChat(ctx context.Context, owner *Client, files []string) (holding, error) {
	_, err := owner.Ask(ctx, Chat{Title: "Answered", Files: files})
	return holding{}, err
}

func deletedAnsweredChat(ctx context.Context, owner *Client, files []string) (holding, error) {
	id, err := owner.Ask(ctx, Chat{Title: "Answered, then deleted", Files: files})
	return holding{forget: func(ctx context.Context) error { return owner.DeleteChat(ctx, id) }}, err
}

func folder(ctx context.Context, owner *Client, files []string) (holding, error) {
	_, err := owner.CreateFolder(ctx, "Kept", files...)
	return holding{}, err
}

// deletedFolder puts the first file into a chat in the folder, the others into the folder itself.
func deletedFolder(ctx context.Context, owner *Client, files []string) (holding, error) {
	id, err := owner.CreateFolder(ctx, "Deleted", files[1:]...)
	if err != nil {
		return holding{}, err
	}
	_, err = owner.NewChat(ctx, Chat{Title: "In a folder", FolderID: id, Files: files[:1]})
	return holding{forget: func(ctx context.Context) error { return owner.DeleteFolder(ctx, id) }}, err
}

func note(ctx context.Context, owner *Client, files []string) (holding, error) {
	_, err := owner.CreateNote(ctx, "Kept", files...)
	return holding{}, err
}

func deletedNote(ctx context.Context, owner *Client, files []string) (holding, error) {
	id, err := owner.CreateNote(ctx, "Deleted", files...)
	return holding{forget: func(ctx context.Context) error { return owner.DeleteNote(ctx, id) }}, err
}

func model(ctx context.Context, owner *Client, files []string) (holding, error) {
	return holding{}, owner.CreateModel(ctx, "librarian", files...)
}

func deletedFiles(_ context.Context, owner *Client, files []string) (holding, error) {
	return holding{forget: func(ctx context.Context) error { return each(ctx, files, owner.DeleteFile) }}, nil
}

// both puts the same files into two places, of which the first lives on.
func both(first, second putter) putter {
	return func(ctx context.Context, owner *Client, files []string) (holding, error) {
		kept, err := first(ctx, owner, files)
		if err != nil {
			return holding{}, err
		}
		left, err := second(ctx, owner, files)
		return holding{knowledge: kept.knowledge, forget: left.forget}, err
	}
}

func each(ctx context.Context, files []string, do func(ctx context.Context, file string) error) error {
	for _, file := range files {
		if err := do(ctx, file); err != nil {
			return err
		}
	}
	return nil
}
