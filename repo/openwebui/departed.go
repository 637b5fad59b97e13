package openwebui

import "strings"

// Owned are the tables whose rows nobody but their user can open, as long as no row of
// access_grant names them, by the table and the id, for somebody else (openwebui 0.12.4:
// models/access_grants.py, routers/{notes,folders,models,knowledge,prompts}.py).
// Administrators can open them too. Channels and their messages belong to their members,
// shared chats to whoever has the link, and chats go with their user.
var Owned = []string{"note", "folder", "model", "knowledge", "prompt"}

// OwnedBy are the tables whose rows are opened by way of a row of Owned alone, and their
// columns that name it (models/knowledge.py, models/model_history.py,
// models/prompt_history.py).
var OwnedBy = map[string]struct{ Column, Table string }{
	"knowledge_file": {"knowledge_id", "knowledge"},
	"model_history":  {"model_id", "model"},
	"prompt_history": {"prompt_id", "prompt"},
}

// OpenedByColumns are the columns, as table.column, that tell who can open what. Where one
// is missing nobody can tell: revisions without access_grant have access_control in the row.
var OpenedByColumns = strings.Fields(`
user.id group.id access_grant.resource_type access_grant.resource_id access_grant.principal_type access_grant.principal_id
note.id note.user_id folder.id folder.user_id folder.parent_id folder.data model.id model.user_id model.meta
knowledge.id knowledge.user_id prompt.id prompt.user_id
knowledge_file.knowledge_id knowledge_file.file_id model_history.model_id prompt_history.prompt_id`)

// OlderGrants is the column of Owned in which older revisions have their grants.
const OlderGrants = "access_control"

// Dialect is how an engine writes what a condition of Opened is made of.
type Dialect struct {
	Table    func(name string) string       // a table of the application
	Contains func(column, id string) string // whether the text of a column contains an id
}

// Opened is the condition under which somebody who is there can open what row t of a table
// is or belongs to; empty for tables of which that cannot be told, or need not.
func (d Dialect) Opened(table string) string {
	for _, owned := range Owned {
		if owned == table {
			return d.opened(table, "t")
		}
	}
	by, is := OwnedBy[table]
	if !is {
		return ""
	}
	// What it belongs to may be gone: that is no matter of users.
	return "NOT EXISTS (SELECT 1 FROM " + d.Table(by.Table) + " o WHERE o.id = t." + by.Column + " AND NOT " + d.opened(by.Table, "o") + ")"
}

// opened is the condition about a row of Owned. A folder is opened by those who can open one
// around it, too. What stands in a model or a folder that somebody can open serves whoever
// uses that, in the name of its owner.
func (d Dialect) opened(table, row string) string {
	ways := []string{d.reached(table, row)}
	switch table {
	case "folder":
		folder := d.Table("folder")
		ways = append(ways, "EXISTS (WITH RECURSIVE around (id, user_id, parent_id) AS ("+
			"SELECT f.id, f.user_id, f.parent_id FROM "+folder+" f WHERE f.id = "+row+".parent_id"+
			" UNION SELECT f.id, f.user_id, f.parent_id FROM around a JOIN "+folder+" f ON f.id = a.parent_id)"+
			" SELECT 1 FROM around a WHERE "+d.reached("folder", "a")+")")
	case "note", "knowledge":
		ways = append(ways,
			"EXISTS (SELECT 1 FROM "+d.Table("model")+" m WHERE "+d.Contains("m.meta", row+".id")+" AND "+d.opened("model", "m")+")",
			"EXISTS (SELECT 1 FROM "+d.Table("folder")+" d WHERE "+d.Contains("d.data", row+".id")+" AND "+d.opened("folder", "d")+")")
	}
	return "(" + strings.Join(ways, " OR ") + ")"
}

// reached is the condition that the user of a row is there, or that a grant reaches anybody.
// Where there are no users at all they are still to come, as in a restore. A grant to
// something that this version does not know reaches it.
func (d Dialect) reached(table, row string) string {
	user := d.Table("user")
	isUser := func(id string) string { return "EXISTS (SELECT 1 FROM " + user + " u WHERE u.id = " + id + ")" }
	return "(" + row + ".user_id IS NULL OR " + row + ".user_id = '' OR " + isUser(row+".user_id") +
		" OR NOT EXISTS (SELECT 1 FROM " + user + ")" +
		" OR EXISTS (SELECT 1 FROM " + d.Table("access_grant") + " g WHERE g.resource_type = '" + table + "' AND g.resource_id = " + row + ".id" +
		" AND (g.principal_id = '*' OR g.principal_type NOT IN ('user', 'group')" +
		" OR g.principal_type = 'user' AND " + isUser("g.principal_id") +
		" OR g.principal_type = 'group' AND EXISTS (SELECT 1 FROM " + d.Table("group") + " p WHERE p.id = g.principal_id))))"
}
