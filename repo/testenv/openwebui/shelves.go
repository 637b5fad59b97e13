package openwebui

import "context"

func (s *Scenario) onShelf(ctx context.Context, _ *Client, files []string) (holding, error) {
	return holding{knowledge: s.shelf}, s.add(ctx, s.shelf, files)
}

func (s *Scenario) inCabinet(ctx context.Context, _ *Client, files []string) (holding, error) {
	return holding{knowledge: s.cabinet}, s.add(ctx, s.cabinet, files)
}

func (s *Scenario) moved(ctx context.Context, _ *Client, files []string) (holding, error) {
	err := s.add(ctx, s.shelf, files)
	return holding{knowledge: s.cabinet, forget: func(ctx context.Context) error {
		return each(ctx, files, func(ctx context.Context, file string) error {
			return s.admin.MoveFile(ctx, file, s.shelf, s.cabinet)
		})
	}}, err
}

func (s *Scenario) removed(ctx context.Context, _ *Client, files []string) (holding, error) {
	err := s.add(ctx, s.shelf, files)
	return holding{forget: func(ctx context.Context) error { return s.remove(ctx, s.shelf, files, false) }}, err
}

func (s *Scenario) removedAndDeleted(ctx context.Context, _ *Client, files []string) (holding, error) {
	err := s.add(ctx, s.shelf, files)
	return holding{forget: func(ctx context.Context) error { return s.remove(ctx, s.shelf, files, true) }}, err
}

func (s *Scenario) deletedFromShelf(ctx context.Context, _ *Client, files []string) (holding, error) {
	return s.deletedFrom(ctx, s.shelf, s.cabinet, files)
}

func (s *Scenario) deletedFromCabinet(ctx context.Context, _ *Client, files []string) (holding, error) {
	return s.deletedFrom(ctx, s.cabinet, s.shelf, files)
}

// deletedFrom deletes files that two knowledge bases hold by removing them from one: Open WebUI
// forgets their chunks in the other.
func (s *Scenario) deletedFrom(ctx context.Context, one, other string, files []string) (holding, error) {
	if err := s.add(ctx, one, files); err != nil {
		return holding{}, err
	}
	err := s.add(ctx, other, files)
	return holding{knowledge: other, forget: func(ctx context.Context) error { return s.remove(ctx, one, files, true) }}, err
}

func (s *Scenario) deletedKnowledge(ctx context.Context, _ *Client, files []string) (holding, error) {
	id, err := s.admin.CreateKnowledge(ctx, "Deleted")
	if err != nil {
		return holding{}, err
	}
	err = s.add(ctx, id, files)
	return holding{forget: func(ctx context.Context) error { return s.admin.DeleteKnowledge(ctx, id) }}, err
}

func (s *Scenario) add(ctx context.Context, knowledge string, files []string) error {
	return each(ctx, files, func(ctx context.Context, file string) error {
		return s.admin.AddToKnowledge(ctx, knowledge, file)
	})
}

func (s *Scenario) remove(ctx context.Context, knowledge string, files []string, deleteFile bool) error {
	return each(ctx, files, func(ctx context.Context, file string) error {
		return s.admin.RemoveFromKnowledge(ctx, knowledge, file, deleteFile)
	})
}
