// The tables of the store, by version. A version once released is never edited: a change is a new entry.
// batch holds what is needed to find records, batch_payload their bytes, so that looking for an offset or a time reads no payload.

/** `PRAGMA application_id`: tells our file from any other SQLite file. "weir" in ASCII. */
export const applicationId = 0x77656972

/** migrations[i] leads from user_version i to i + 1. */
export const migrations: readonly string[] = [
  `
CREATE TABLE topic (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL,
  first_partition INTEGER NOT NULL, -- id of partition 0; the others follow
  retention_ms INTEGER, retention_bytes INTEGER, max_record_bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE partition (
  id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, number INTEGER NOT NULL,
  earliest INTEGER NOT NULL, latest INTEGER NOT NULL, bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE batch (
  partition INTEGER NOT NULL, base INTEGER NOT NULL, count INTEGER NOT NULL,
  min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL, bytes INTEGER NOT NULL, payload INTEGER NOT NULL,
  PRIMARY KEY (partition, base)
) STRICT, WITHOUT ROWID;
CREATE TABLE batch_payload (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;

CREATE TABLE cursor (
  pipeline TEXT NOT NULL, split TEXT NOT NULL, value TEXT NOT NULL, crc INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
  PRIMARY KEY (pipeline, split)
) STRICT, WITHOUT ROWID;
CREATE TABLE group_offset (
  group_name TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
  PRIMARY KEY (group_name, topic, partition)
) STRICT, WITHOUT ROWID;

-- A scope is what members share: the buckets of a pipeline, the partitions of a topic for a group.
CREATE TABLE scope (name TEXT PRIMARY KEY, slots INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE member (
  id TEXT PRIMARY KEY, scope TEXT NOT NULL, joined INTEGER NOT NULL, process TEXT NOT NULL,
  exclusive INTEGER NOT NULL, renewed_ms REAL NOT NULL, lease_ms REAL NOT NULL -- milliseconds of the machine's monotonic clock
) STRICT, WITHOUT ROWID;
CREATE INDEX member_scope ON member (scope);
CREATE TABLE lease (
  scope TEXT NOT NULL, slot INTEGER NOT NULL, epoch INTEGER NOT NULL, member TEXT,
  PRIMARY KEY (scope, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE schema (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE subject_version (
  subject TEXT NOT NULL, version INTEGER NOT NULL, schema INTEGER NOT NULL,
  PRIMARY KEY (subject, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE subject_level (subject TEXT PRIMARY KEY, level TEXT NOT NULL) STRICT, WITHOUT ROWID; -- '' is the global level
`,
  `
-- Transactions that wait for a cluster. An id is never given twice, so that whoever was too slow removes nothing of others.
CREATE TABLE spool_entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline TEXT NOT NULL, bucket INTEGER NOT NULL,
  link TEXT NOT NULL, crc INTEGER NOT NULL, -- JSON of marks and cursors, and the checksum over all it says
  records INTEGER NOT NULL, bytes INTEGER NOT NULL, stored_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX spool_entry_order ON spool_entry (pipeline, bucket, id, records, bytes, stored_ms);
CREATE TABLE spool_payload (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE spool_claim (
  pipeline TEXT NOT NULL, bucket INTEGER NOT NULL, holder TEXT NOT NULL,
  PRIMARY KEY (pipeline, bucket)
) STRICT, WITHOUT ROWID;
`,
  `
-- A schema is its text with its references and its metadata. Rows stay when their last version is deleted: values written under the id are still read.
CREATE TABLE schema_whole (
  id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL,
  refs TEXT NOT NULL, metadata TEXT NOT NULL, -- JSON with sorted keys, '' where there are none
  UNIQUE (text, refs, metadata)
) STRICT;
INSERT INTO schema_whole SELECT id, text, '', '' FROM schema;
DROP TABLE schema;
ALTER TABLE schema_whole RENAME TO schema;
CREATE INDEX schema_referring ON schema (id) WHERE refs <> '';
ALTER TABLE subject_version ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0; -- 1: softly
CREATE INDEX subject_version_schema ON subject_version (schema);
CREATE TABLE subject_setting (subject TEXT PRIMARY KEY, level TEXT, normalize INTEGER, mode TEXT) STRICT, WITHOUT ROWID; -- '' is global
INSERT INTO subject_setting SELECT subject, level, NULL, NULL FROM subject_level;
DROP TABLE subject_level;
`,
]

/** Tables small enough to be checked whole at every start; payloads carry their own checksum. */
export const checkedTables = [
  'topic',
  'partition',
  'batch',
  'cursor',
  'group_offset',
  'scope',
  'member',
  'lease',
  'schema',
  'subject_version',
  'subject_setting',
  'spool_entry',
  'spool_claim',
] as const
