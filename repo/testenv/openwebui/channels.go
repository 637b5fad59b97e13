package openwebui

import (
	"context"
	"net/http"
)

// CreateChannel makes a channel of a group, whose first member is its maker. Open WebUI has
// channels only with ENABLE_CHANNELS.
func (c *Client) CreateChannel(ctx context.Context, name string) (channelID string, err error) {
	return c.create(ctx, "/api/v1/channels/create", object{"name": name, "type": "group", "user_ids": []string{}, "group_ids": []string{}})
}

// Post writes a message with files into a channel.
func (c *Client) Post(ctx context.Context, channelID, content string, fileIDs ...string) (messageID string, err error) {
	return c.create(ctx, "/api/v1/channels/"+channelID+"/messages/post",
		object{"content": content, "data": object{"files": attachments(fileIDs)}})
}

// React adds a reaction to a message.
func (c *Client) React(ctx context.Context, channelID, messageID string) error {
	return c.call(ctx, http.MethodPost, "/api/v1/channels/"+channelID+"/messages/"+messageID+"/reactions/add", object{"name": "thumbsup"}, nil)
}

// CreateChannelWebhook makes a webhook through which others post to a channel.
func (c *Client) CreateChannelWebhook(ctx context.Context, channelID string) (webhookID string, err error) {
	return c.create(ctx, "/api/v1/channels/"+channelID+"/webhooks/create", object{"name": "a test"})
}

// ChannelMessage is a message, with the reactions to it.
type ChannelMessage struct {
	ID, Content string
	Reactions   []struct{ Name string }
}

// ChannelMessages reads the messages of a channel.
func (c *Client) ChannelMessages(ctx context.Context, channelID string) (messages []ChannelMessage, err error) {
	err = c.call(ctx, http.MethodGet, "/api/v1/channels/"+channelID+"/messages", nil, &messages)
	return messages, err
}

// DeleteChannel deletes a channel; its messages, members, webhooks and files stay.
func (c *Client) DeleteChannel(ctx context.Context, id string) error {
	return c.drop(ctx, "/api/v1/channels/"+id+"/delete")
}
