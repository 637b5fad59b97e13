-- The tables of Open WebUI 0.12.4 that a file has to do with, as its own
-- migrations leave them (revision 0bd252b206fb).

CREATE TABLE alembic_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE "file" (
  id VARCHAR NOT NULL,
  user_id VARCHAR,
  filename TEXT,
  meta JSON,
  created_at BIGINT,
  hash TEXT,
  data JSON,
  updated_at BIGINT,
  path TEXT,
  PRIMARY KEY (id)
);

CREATE TABLE chat (
  id VARCHAR NOT NULL,
  user_id VARCHAR,
  title TEXT,
  created_at BIGINT,
  updated_at BIGINT,
  share_id TEXT,
  archived BOOLEAN, chat JSON, pinned BOOLEAN, meta JSON DEFAULT '{}' NOT NULL, folder_id TEXT, tasks JSON, summary TEXT, last_read_at BIGINT, current_message_id TEXT, variables JSON, timer_at BIGINT,
  PRIMARY KEY (id),
  UNIQUE (share_id)
);

CREATE TABLE chat_file (
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  file_id TEXT NOT NULL,
  message_id TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT uq_chat_file_chat_file UNIQUE (chat_id, file_id),
  FOREIGN KEY(chat_id) REFERENCES chat (id) ON DELETE CASCADE,
  FOREIGN KEY(file_id) REFERENCES file (id) ON DELETE CASCADE
);

CREATE TABLE "knowledge" (
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  meta JSON,
  created_at BIGINT NOT NULL,
  updated_at BIGINT,
  data JSON,
  PRIMARY KEY (id)
);

CREATE TABLE knowledge_directory (
  id TEXT NOT NULL,
  knowledge_id TEXT NOT NULL,
  parent_id TEXT,
  name TEXT NOT NULL,
  user_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(knowledge_id) REFERENCES knowledge (id) ON DELETE CASCADE,
  FOREIGN KEY(parent_id) REFERENCES knowledge_directory (id) ON DELETE CASCADE,
  CONSTRAINT uq_knowledge_directory_knowledge_parent_name UNIQUE (knowledge_id, parent_id, name)
);

CREATE TABLE "knowledge_file" (
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  knowledge_id TEXT NOT NULL,
  file_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  directory_id TEXT,
  PRIMARY KEY (id),
  CONSTRAINT uq_knowledge_file_knowledge_file UNIQUE (knowledge_id, file_id),
  CONSTRAINT fk_knowledge_file_directory_id FOREIGN KEY(directory_id) REFERENCES knowledge_directory (id) ON DELETE SET NULL,
  FOREIGN KEY(knowledge_id) REFERENCES knowledge (id) ON DELETE CASCADE,
  FOREIGN KEY(file_id) REFERENCES file (id) ON DELETE CASCADE
);

CREATE TABLE "note" (
  id TEXT NOT NULL,
  user_id TEXT,
  title TEXT,
  data JSON,
  meta JSON,
  created_at BIGINT,
  updated_at BIGINT,
  PRIMARY KEY (id),
  UNIQUE (id)
);

CREATE TABLE "folder" (
  id TEXT NOT NULL,
  parent_id TEXT,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  items JSON,
  meta JSON,
  is_expanded BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL, data JSON,
  PRIMARY KEY (id, user_id)
);

CREATE TABLE "channel" (
  id TEXT NOT NULL,
  user_id TEXT,
  name TEXT,
  description TEXT,
  data JSON,
  meta JSON,
  created_at BIGINT,
  updated_at BIGINT,
  type TEXT,
  is_private BOOLEAN,
  archived_at BIGINT,
  archived_by TEXT,
  deleted_at BIGINT,
  deleted_by TEXT,
  updated_by TEXT,
  PRIMARY KEY (id),
  UNIQUE (id)
);

CREATE TABLE message (
  id TEXT NOT NULL,
  user_id TEXT,
  channel_id TEXT,
  content TEXT,
  data JSON,
  meta JSON,
  created_at BIGINT,
  updated_at BIGINT, parent_id TEXT, reply_to_id TEXT, is_pinned BOOLEAN DEFAULT 0 NOT NULL, pinned_at BIGINT, pinned_by TEXT, app_id TEXT,
  PRIMARY KEY (id),
  UNIQUE (id)
);

CREATE TABLE "channel_file" (
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  file_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  message_id TEXT,
  PRIMARY KEY (id),
  CONSTRAINT uq_channel_file_channel_file UNIQUE (channel_id, file_id),
  CONSTRAINT fk_channel_file_message_id FOREIGN KEY(message_id) REFERENCES message (id) ON DELETE CASCADE,
  FOREIGN KEY(file_id) REFERENCES file (id) ON DELETE CASCADE,
  FOREIGN KEY(channel_id) REFERENCES channel (id) ON DELETE CASCADE
);

CREATE TABLE "model" (
  id TEXT NOT NULL,
  user_id TEXT,
  base_model_id TEXT,
  name TEXT,
  params TEXT,
  meta TEXT,
  updated_at BIGINT,
  created_at BIGINT,
  is_active BOOLEAN DEFAULT 1 NOT NULL, version_id TEXT,
  PRIMARY KEY (id)
);

INSERT INTO alembic_version VALUES ('0bd252b206fb');
