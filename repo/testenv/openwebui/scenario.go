package openwebui

import (
	"context"
	"fmt"
)

// Scenario is a life of an application in two acts: Prepare puts files wherever Open WebUI keeps
// files, Forget deletes some of those places, as its users would.
type Scenario struct {
	// World says what has become of the files once Forget has returned.
	World World

	admin          *Client
	guest          *User // deleted by Forget
	shelf, cabinet string
	uploads, texts int // how many were made so far
	forget         []step
}

type step struct {
	place string
	do    func(ctx context.Context) error
}

// Fill prepares a Scenario and forgets. An application takes only one.
func Fill(ctx context.Context, app *App) (World, error) {
	s, err := Prepare(ctx, app)
	if err != nil {
		return World{}, err
	}
	return s.World, s.Forget(ctx)
}

// Prepare makes the users, the two knowledge bases that live on, and all files in all places.
func Prepare(ctx context.Context, app *App) (*Scenario, error) {
	s := &Scenario{admin: app.Client}
	var err error
	if s.guest, err = app.CreateUser(ctx, "guest"); err != nil {
		return nil, fmt.Errorf("create the guest: %w", err)
	}
	if s.shelf, err = app.CreateKnowledge(ctx, "The shelf"); err != nil {
		return nil, fmt.Errorf("create the shelf: %w", err)
	}
	if s.cabinet, err = app.CreateKnowledge(ctx, "The cabinet"); err != nil {
		return nil, fmt.Errorf("create the cabinet: %w", err)
	}
	for _, place := range s.places() {
		if err := s.fill(ctx, place); err != nil {
			return nil, fmt.Errorf("fill the place %q: %w", place.name, err)
		}
	}
	return s, s.fillCollections(ctx)
}

// Forget deletes what is to be deleted, the guest last.
func (s *Scenario) Forget(ctx context.Context) error {
	for _, step := range s.forget {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("forget the place %q: %w", step.place, err)
		}
	}
	if err := s.admin.DeleteUser(ctx, s.guest.ID); err != nil {
		return fmt.Errorf("delete the guest: %w", err)
	}
	return nil
}

// fill uploads the files of a place and puts them there.
func (s *Scenario) fill(ctx context.Context, p place) error {
	owner := s.admin
	if p.guest {
		owner = s.guest.Client
	}
	files, ids := make([]File, p.files), make([]string, p.files)
	for i := range files {
		file, err := s.upload(ctx, owner, p)
		if err != nil {
			return err
		}
		files[i], ids[i] = file, file.ID
	}
	held, err := p.put(ctx, owner, ids)
	if err != nil {
		return err
	}
	if held.forget != nil {
		s.forget = append(s.forget, step{p.name, held.forget})
	}
	for i := range files {
		files[i].Knowledge = held.knowledge
	}
	fate := p.fate(&s.World)
	*fate = append(*fate, files...)
	return nil
}

func (s *Scenario) upload(ctx context.Context, owner *Client, p place) (File, error) {
	s.uploads++
	if !p.copies {
		s.texts++
	}
	file := File{Name: fmt.Sprintf("file-%02d.txt", s.uploads), Text: text(s.texts), Place: p.name, Processed: !p.raw}
	var err error
	file.ID, err = owner.Upload(ctx, file.Name, file.Text, file.Processed)
	return file, err
}
