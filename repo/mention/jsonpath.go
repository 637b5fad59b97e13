package mention

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// JSONPaths returns where in a JSON text strings or keys are that mention
// satisfies, as history.messages.{key}.files[0].id, in order of the keys. A text
// that is no JSON has no paths.
func JSONPaths(text []byte, mention func([]byte) bool) []string {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil
	}
	var paths []string
	walkJSON(value, "", func(path, s string) {
		if mention([]byte(s)) {
			paths = append(paths, strings.TrimPrefix(path, "."))
		}
	})
	return paths
}

// walkJSON calls visit with every string and every key below value.
func walkJSON(value any, path string, visit func(path, s string)) {
	switch v := value.(type) {
	case string:
		visit(path, v)
	case []any:
		for i, item := range v {
			walkJSON(item, path+"["+strconv.Itoa(i)+"]", visit)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			visit(path+"."+key, key)
			walkJSON(v[key], path+"."+key, visit)
		}
	}
}
