package openwebui

import (
	"context"
	"errors"
	"net/http"
)

const (
	adminEmail = "admin@example.com"
	password   = "a long enough password"
)

// User is an account; its embedded Client speaks as that user.
type User struct {
	*Client
	ID string
}

type account struct{ ID, Token string }

// signIn makes the first user, who becomes the administrator, or signs in as the one of an earlier
// start: once there is a user, Open WebUI forbids signing up.
func (a *App) signIn(ctx context.Context) error {
	form := object{"name": "Admin", "email": adminEmail, "password": password}
	var admin account
	err := a.call(ctx, http.MethodPost, "/api/v1/auths/signup", form, &admin)
	var refused *StatusError
	again := errors.As(err, &refused) && refused.Status == http.StatusForbidden
	if again {
		err = a.call(ctx, http.MethodPost, "/api/v1/auths/signin", form, &admin)
	}
	if err != nil {
		return err
	}
	a.token = admin.Token
	if again {
		return a.useStub(ctx)
	}
	return nil
}

// useStub points the application to this start's stub: it remembers the one of its first start in
// its database, and that wins over the environment.
func (a *App) useStub(ctx context.Context) error {
	url, key := a.stub.URL+"/v1", "none"
	embedding := object{"RAG_EMBEDDING_ENGINE": "openai", "RAG_EMBEDDING_MODEL": Model,
		"openai_config": object{"url": url, "key": key}}
	if err := a.call(ctx, http.MethodPost, "/api/v1/retrieval/embedding/update", embedding, nil); err != nil {
		return err
	}
	chat := object{"ENABLE_OPENAI_API": true, "OPENAI_API_BASE_URLS": []string{url},
		"OPENAI_API_KEYS": []string{key}, "OPENAI_API_CONFIGS": object{}}
	return a.call(ctx, http.MethodPost, "/openai/config/update", chat, nil)
}

// CreateUser adds a user without special rights.
func (c *Client) CreateUser(ctx context.Context, name string) (*User, error) {
	form := object{"name": name, "email": name + "@example.com", "password": password, "role": "user"}
	var made account
	if err := c.call(ctx, http.MethodPost, "/api/v1/auths/add", form, &made); err != nil {
		return nil, err
	}
	return &User{Client: &Client{server: c.server, token: made.Token}, ID: made.ID}, nil
}

// DeleteUser deletes the account and its chats; files, notes and knowledge bases stay.
func (c *Client) DeleteUser(ctx context.Context, id string) error {
	return c.drop(ctx, "/api/v1/users/"+id)
}
