package openwebui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Speak has a text spoken. The application keeps the sound in its cache, by what was asked for.
func (c *Client) Speak(ctx context.Context, text string) (sound []byte, err error) {
	body, err := json.Marshal(object{"input": text, "voice": "alloy"})
	if err != nil {
		return nil, fmt.Errorf("ask for speech: %w", err)
	}
	return c.server.send(ctx, c.token, http.MethodPost, "/api/v1/audio/speech", "application/json", bytes.NewReader(body))
}

// Transcribe has a recording written down. The application keeps both in its cache.
func (c *Client) Transcribe(ctx context.Context, recording string) error {
	body, contentType, err := form("recording.mp3", "audio/mpeg", recording, nil)
	if err != nil {
		return fmt.Errorf("make the upload of a recording: %w", err)
	}
	_, err = c.server.send(ctx, c.token, http.MethodPost, "/api/v1/audio/transcriptions", contentType, body)
	return err
}
