package openwebui

import (
	"slices"
	"strings"
)

// Tables are those of Open WebUI's schema, up to 0.12.4, also those that its
// migrations have left behind (openwebui: models, migrations/versions).
var Tables = strings.Fields(`
access_grant alembic_version api_key app auth automation automation_run calendar calendar_event
calendar_event_attendee channel channel_file channel_member channel_webhook chat chat_file chat_message chatidtag
config config_old document feedback file folder function function_history group group_member knowledge
knowledge_directory knowledge_file memory message message_reaction model model_history note oauth_session
pinned_note prompt prompt_history shared_chat skill skill_history tag tool tool_history user`)

// HasTable says whether Open WebUI has a table of that name. What has the
// name and is no table, but a view or what only looks like a table, keeps its rows
// where nobody looks for them.
func HasTable(name string) bool {
	return slices.Contains(Tables, strings.ToLower(name))
}
