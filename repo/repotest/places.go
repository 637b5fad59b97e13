package repotest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// place is one way in which the application mentions a file: the text of one
// column, in which every %s is the id.
type place struct {
	table, column, text string
	form                func(id string) string // how the id is written; nil: as it is
}

func (p place) String() string { return p.table + "." + p.column + " " + p.text }

func (p place) mention(id string) string {
	if p.form != nil {
		id = p.form(id)
	}
	return strings.ReplaceAll(p.text, "%s", id)
}

func upper(id string) string       { return strings.ToUpper(id) }
func underscored(id string) string { return strings.ReplaceAll(id, "-", "_") }
func bare(id string) string        { return strings.ReplaceAll(id, "-", "") }

// Where every release has put file ids (openwebui 0.12.4: routers/files.py,
// utils/middleware.py, models/*.py), and the forms in which they stand there.
const (
	asURL  = "/api/v1/files/%s/content"
	asItem = `{"files":[{"type":"file","id":"%s","name":"report.pdf"}]}`
	asText = "see ![picture](/api/v1/files/%s/content) there"
)

// shapes are the ways in which one message of a chat mentions a file.
var shapes = []string{
	`"files":[{"type":"file","id":"%s"}]`,
	`"files":[{"type":"image","url":"%s"}]`,
	`"files":[{"type":"image","url":"/api/v1/files/%s/content"}]`,
	`"files":[{"type":"image","url":"https://chat.example.com/sub/api/v1/files/%s/content?x=1#page=2"}]`,
	`"files":[{"type":"file","file":{"id":"%s"}}]`,
	`"files":[{"type":"file","file":{"path":"/app/backend/data/uploads/%s_report.pdf"}}]`,
	`"files":[{"type":"file","file":{"meta":{"collection_name":"file-%s"}}}]`,
	`"files":[{"type":"file","collection_name":"file-%s"}]`,
	`"files":[{"type":"file","collection_names":["file-%s"]}]`,
	`"sources":[{"source":{"type":"file","id":"%s"},"document":["text"]}]`,
	`"sources":[{"source":{"name":"report.pdf"},"metadata":[{"file_id":"%s","page":3}]}]`,
	`"output":[{"files":[{"type":"image","url":"/api/v1/files/%s/content"}]}]`,
	`"output":[{"output":[{"image_url":"/api/v1/files/%s/content"}]}]`,
	`"output":[{"output":[{"text":"{\"stdout\":\"![Output Image](/api/v1/files/%s/content)\"}"}]}]`,
	`"output":[{"output":[{"text":"{\"stdout\":\"{\\\"url\\\":\\\"\\u2026/%s\\\"}\"}"}]}]`,
	`"meta":{"files":[{"id":"%s"}]}`,
	`"embeds":["<iframe src=\"/api/v1/files/%s/content/html\"></iframe>"]`,
	`"statusHistory":[{"action":"upload","urls":["/api/v1/files/%s"]}]`,
	`"content":"![a](/api/v1/files/%s/content/a.png)"`,
	`"content":"{{VIDEO_FILE_ID_%s}}"`,
	`"content":"{{HTML_FILE_ID_%s}}"`,
	`"content":"<file type=\"file\" id=\"%s\" url=\"x\"/>"`,
	`"content":"mögliche Datei:%s—ja"`,
	`"%s":true`,
}

func messageOf(shape string) string {
	return `{"title":"t","history":{"currentId":"m1","messages":{"m1":{"id":"m1","role":"user",` + shape + `}}}}`
}

// places is every mention that must keep its file, in every table that the
// application has.
func places() []place {
	var all []place
	for _, shape := range shapes {
		all = append(all, place{table: "chat", column: "chat", text: messageOf(shape)})
	}
	all = append(all,
		place{"chat", "chat", messageOf(`"files":[{"id":"%s"}]`), upper},
		place{"chat", "chat", messageOf(`"files":[{"collection_name":"file_%s"}]`), underscored},
		place{"chat", "chat", messageOf(`"content":"FILE_%s"`), func(id string) string { return upper(underscored(id)) }},
		place{"chat", "chat", messageOf(`"content":"abc%sdef"`), nil},
		place{"chat", "chat", messageOf(`"content":"/cache/%s.png"`), bare},
		place{"chat", "chat", messageOf(`"content":"\\u201c%s\\u201d"`), bare},
		place{"note", "title", "%2Ffiles%2F%s", bare},
		place{"note", "title", "FILE_%s", func(id string) string { return upper(bare(id)) }},
		place{"chat", "chat", `{"files":[{"id":"%s"}]}`, nil},
		place{"chat", "chat", `{"messages":[{"files":[{"id":"%s"}]}]}`, nil},
		place{"chat", "chat", `{"params":{"system":"Read /api/v1/files/%s first."}}`, nil},
		place{"chat", "chat", `"%s"`, nil},
		place{"channel_webhook", "profile_image_url", asURL, nil},
		place{"model", "meta", `{"background_image_url":"/api/v1/files/%s/content"}`, upper},
		place{"model", "meta", `{"voice_avatar":{"file_id":"x","states":{"idle":{"file_id":"%s"}},"gestures":[]}}`, upper},
		place{"model", "meta", `{"voice_avatar":{"gestures":[{"file_id":"%s"}]}}`, nil},
		place{"model", "meta", `{"profile_image_url":"https://chat.example.com/api/v1/files/%s/content"}`, nil},
		place{"user", "settings", `{"ui":{"backgroundImageUrl":"/api/v1/files/%s/content"}}`, nil},
		place{"config", "value", `[{"content":"![](/api/v1/files/%s/content)"}]`, nil},
		place{"feedback", "snapshot", `{"chat":{"chat":` + messageOf(`"files":[{"id":"%s"}]`) + `}}`, nil},
		place{"shared_chat", "chat", messageOf(`"files":[{"id":"%s"}]`), nil},
		place{"note", "data", `{"content":{"json":null,"html":"<img src=\"/api/v1/files/%s/content\">","md":""}}`, nil},
		place{"note", "data", `{"versions":[{"md":"![](/api/v1/files/%s/content)"}]}`, nil},
		place{"automation", "data", `{"prompt":"Summarize /api/v1/files/%s"}`, nil},
		place{"app", "data", `{"manifest":{"profile_image_url":"/api/v1/files/%s/content"}}`, nil},
		place{"document", "filename", "%s_report.pdf", nil},
	)
	for _, column := range strings.Fields(itemColumns) {
		table, name, _ := strings.Cut(column, ".")
		all = append(all, place{table, name, asItem, nil})
	}
	for _, column := range strings.Fields(textColumns) {
		table, name, _ := strings.Cut(column, ".")
		all = append(all, place{table, name, asText, nil})
	}
	for _, table := range []string{"chat_file", "channel_file", "knowledge_file"} {
		all = append(all, place{table, "file_id", "%s", nil})
	}
	return all
}

// places are those that the release at hand has.
func (e Engine) places(t testing.TB) []place {
	t.Helper()
	all := places()
	if e.Columns != nil {
		all = append(all, olderPlaces...)
	}
	return slices.DeleteFunc(all, func(p place) bool { return !e.has(t, p.table, p.column) })
}

// olderPlaces are those that the newest release has no more.
var olderPlaces = []place{
	{"config", "data", `{"ui":{"banners":[{"content":"![](/api/v1/files/%s/content)"}]}}`, nil},
}

const itemColumns = `chat.meta chat.variables chat.tasks
	chat_message.content chat_message.output chat_message.files chat_message.sources chat_message.embeds
	chat_message.meta chat_message.status_history chat_message.error chat_message.usage
	message.data message.meta channel.data channel.meta channel_member.data channel_member.meta
	folder.data folder.meta folder.items note.data note.meta model.meta model.params model_history.snapshot
	prompt.data prompt.meta prompt.tags prompt_history.snapshot skill.data skill.meta skill_history.snapshot
	tool.specs tool.meta tool.valves tool_history.snapshot function.meta function.valves function_history.snapshot
	user.settings user.info user.variables knowledge.meta knowledge.data feedback.snapshot feedback.data feedback.meta
	memory.meta automation.data automation.meta calendar.data calendar.meta calendar_event.data calendar_event.meta
	app.data group.data group.meta group.permissions config.value tag.meta auth.mfa`

const textColumns = `chat.title chat.summary chat_message.context_summary message.content channel.description
	folder.name note.title model.params model.name prompt.content skill.content skill.description
	tool.content function.content user.profile_image_url user.profile_banner_image_url user.bio user.status_message
	knowledge.name knowledge.description knowledge_directory.name memory.content automation.name automation_run.error
	calendar_event.description calendar_event.location group.description document.content document.title
	model_history.commit_message shared_chat.title`

// put inserts the row of a place, and says how to take it away again.
func (e Engine) put(t testing.TB, p place, id string) (remove func()) {
	t.Helper()
	e.insert(t, p.table, row{p.column: p.mention(id)})
	return func() {
		e.Exec(t, fmt.Sprintf(`DELETE FROM "%s" WHERE CAST("%s" AS text) = $1`, p.table, p.column), p.mention(id))
	}
}
