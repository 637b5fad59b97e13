package chroma

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// knownMigrations are those of chromadb 1.5.2 to 1.5.9, as its table migrations lists
// them: folder, number, hash of the text. Those of 1.3.7 and 1.4.0 are the same but for one.
var knownMigrations = map[string]string{
	"embeddings_queue 1": "d3755dfd232be8e8301f4d7fcfb3a486",
	"embeddings_queue 2": "8fbfe4ffb3e57f1d8bfdc58510a82e85",
	"metadb 1":           "2b4cf52c4bb2676e21d6860a4409f856",
	"metadb 2":           "12a570f7121b3a8ce750a2a7c36da20f",
	"metadb 3":           "f97ad6334aeaa8f419f01110b648b97a",
	"metadb 4":           "fb36603a45ee2cd0254cef3ef86585e8",
	"metadb 5":           "0e9de46758761b373ce682925edcc326",
	"metadb 6":           "e026f01ea92c1baa1493f4ad5ca7cfe7",
	"sysdb 1":            "38352d725ad1c16074fac420b22b4633",
	"sysdb 2":            "2913cb6a503055a95f625448037e8912",
	"sysdb 3":            "42d22d0574d31d419c2a0e7f625c93aa",
	"sysdb 4":            "048867ce8fcdefe4023c7110e4433591",
	"sysdb 5":            "b1367c826b8fba5f96f27befdc1d42d2",
	"sysdb 6":            "4eea7468935bf25d4604a0fed2366116",
	"sysdb 7":            "1c7e63bba346a42a18b6ab7f1c989bed",
	"sysdb 8":            "0a0e7e93111a01789addf64961c6127c",
	"sysdb 9":            "054355aef9e63702bf54ea29e61563f1",
	"sysdb 10":           "5c3a5ac4b79df76799b4721827ed5e1d",
}

// knownColumns are those of every table that we touch, in order.
var knownColumns = map[string]string{
	"collections":               "id name dimension database_id config_json_str schema_str",
	"collection_metadata":       "collection_id key str_value int_value float_value bool_value",
	"databases":                 "id name tenant_id",
	"segments":                  "id type scope collection",
	"segment_metadata":          "segment_id key str_value int_value float_value bool_value",
	"max_seq_id":                "segment_id seq_id",
	"embeddings":                "id segment_id embedding_id seq_id created_at",
	"embedding_metadata":        "id key string_value int_value float_value bool_value",
	"embedding_metadata_array":  "id key string_value int_value float_value bool_value",
	"embedding_fulltext_search": "string_value",
	"embeddings_queue":          "seq_id created_at operation topic id vector encoding metadata",
}

// The migration that chromadb before 1.5 lacks, and the table that it makes.
const (
	arrayMigration = "metadb 6"
	arrayTable     = "embedding_metadata_array"
)

// recognizeSchema refuses every other schema by its name: nothing is known of what
// another release would make of our changes.
func (s *session) recognizeSchema(ctx context.Context, options EmbeddedOptions) error {
	if err := s.recognizeMigrations(ctx); err != nil {
		return err
	}
	if err := s.recognizeColumns(ctx); err != nil {
		return err
	}
	triggers, err := queryColumn[string](ctx, s, "SELECT name FROM sqlite_master WHERE type = 'trigger' LIMIT 1")
	if err != nil {
		return err
	}
	if len(triggers) > 0 {
		return fmt.Errorf("%s has a trigger %q, which Chroma does not make", databaseFile, triggers[0])
	}
	ids, err := queryColumn[string](ctx, s, "SELECT id FROM databases WHERE name = ? AND tenant_id = ?", options.Database, options.Tenant)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return fmt.Errorf("%s has no database %q of tenant %q: set CHROMA_TENANT and CHROMA_DATABASE as the application has them", databaseFile, options.Database, options.Tenant)
	}
	s.database = ids[0]
	return nil
}

func (s *session) recognizeColumns(ctx context.Context) error {
	found := map[string][]string{}
	err := s.queryEach(ctx, func(scan func(...any) error) error {
		var table, name string
		err := scan(&table, &name)
		found[table] = append(found[table], name)
		return err
	}, `SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
	     WHERE m.type = 'table' AND m.name IN (SELECT value FROM json_each(?)) ORDER BY m.name, c.cid`,
		jsonArray(slices.Collect(maps.Keys(knownColumns))))
	if err != nil {
		return err
	}
	if !s.hasArrays {
		if err := s.standInForArrays(ctx, found); err != nil {
			return err
		}
	}
	for table, columns := range knownColumns {
		if got := strings.Join(found[table], " "); got != columns {
			return fmt.Errorf("%s has another schema than Chroma 1.5.9: table %s has columns (%s), not (%s)", databaseFile, table, got, columns)
		}
	}
	return nil
}

// standInForArrays makes the table that an older Chroma lacks, empty and of this connection
// alone, for the statements that name it.
func (s *session) standInForArrays(ctx context.Context, found map[string][]string) error {
	if len(found[arrayTable]) > 0 {
		return missingMigration(arrayMigration)
	}
	found[arrayTable] = strings.Fields(knownColumns[arrayTable])
	_, err := s.conn.ExecContext(ctx, "CREATE TEMP TABLE "+arrayTable+" ("+strings.Join(found[arrayTable], ", ")+")")
	return err
}

func missingMigration(name string) error {
	return fmt.Errorf("%s has another schema than Chroma 1.5.9: migration %s is missing", databaseFile, name)
}

func (s *session) recognizeMigrations(ctx context.Context) error {
	missing := maps.Clone(knownMigrations)
	err := s.queryEach(ctx, func(scan func(...any) error) error {
		var name, hash, file string
		if err := scan(&name, &hash, &file); err != nil {
			return err
		}
		if knownMigrations[name] != hash {
			return fmt.Errorf("%s has another schema than Chroma 1.5.9: migration %s (%s) is unknown", databaseFile, name, file)
		}
		delete(missing, name)
		return nil
	}, "SELECT dir || ' ' || version, hash, filename FROM migrations")
	_, lacks := missing[arrayMigration]
	s.hasArrays = !lacks
	delete(missing, arrayMigration)
	if err == nil && len(missing) > 0 {
		return missingMigration(slices.Min(slices.Collect(maps.Keys(missing))))
	}
	return err
}
