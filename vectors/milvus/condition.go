package milvus

import "strings"

// condition is an expression of Milvus, for questions alone: nothing is deleted by one that
// could be empty. An empty one means any row.
type condition string

// allOf leaves out what is empty. The server wants a condition, where there is none one
// that always holds.
func allOf(list ...condition) condition {
	var parts []string
	for _, one := range list {
		if one != "" {
			parts = append(parts, string(one))
		}
	}
	if len(parts) == 0 {
		return keyField + ` >= ""`
	}
	return condition(strings.Join(parts, " and "))
}

func isOneOf(field string, values []string) condition {
	if len(values) == 0 {
		return ""
	}
	return condition(field + " in [" + strings.Join(quoteAll(values), ",") + "]")
}

// fileField is the key of the metadata that names the file.
const fileField = metaField + `["` + fileKey + `"]`

// isFileOneOf is isOneOf in the words of milvus-lite, which does not know "in" for metadata.
// The alternatives are a tree, since what parses them limits its depth.
func isFileOneOf(files []string) condition {
	var terms []string
	for _, value := range quoteAll(files) {
		terms = append(terms, fileField+" == "+value)
	}
	for len(terms) > 1 {
		var pairs []string
		for i := 0; i < len(terms); i += 2 {
			pairs = append(pairs, "("+strings.Join(terms[i:min(i+2, len(terms))], " or ")+")")
		}
		terms = pairs
	}
	return condition(strings.Join(terms, ""))
}

// What all servers understand in a text; anything else stands for itself.
var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

func quote(text string) string { return `"` + quoter.Replace(text) + `"` }

func quoteAll(texts []string) (list []string) {
	for _, text := range texts {
		list = append(list, quote(text))
	}
	return list
}
