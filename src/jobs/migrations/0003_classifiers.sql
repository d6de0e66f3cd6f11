-- Classes that callers teach (src/jobs/classifiers). Features are in R2 (classifiers/<id>/<example>.f32), weights in the
-- bucket of models (<id>/<version>/). Rows are the truth: an object without its row means nothing.
CREATE TABLE classifiers (
  -- Also the name of the model. Nobody guesses it.
  id TEXT PRIMARY KEY,
  -- Id of the API key that made it, or `public`.
  owner TEXT NOT NULL,
  -- Who it counts against: the key, or the address of an anonymous caller.
  payer TEXT NOT NULL,
  name TEXT NOT NULL,
  base_name TEXT NOT NULL,
  base_version TEXT NOT NULL,
  -- Grows with each change of its examples.
  revision INTEGER NOT NULL DEFAULT 0,
  -- The version that answers; null until the first is ready.
  version INTEGER,
  last_version INTEGER NOT NULL DEFAULT 0,
  -- Milliseconds since 1970, like every time here.
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  -- It is gone for everyone; its objects are being deleted.
  deleted_at INTEGER
) STRICT;

CREATE INDEX classifiers_by_owner ON classifiers (owner, created_at);
CREATE INDEX classifiers_by_payer ON classifiers (payer);
CREATE INDEX classifiers_deleted ON classifiers (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE classifier_classes (
  classifier TEXT NOT NULL,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (classifier, name)
) WITHOUT ROWID, STRICT;

-- A photo that is learned from: its features and what a person knows it by, not the picture.
CREATE TABLE classifier_examples (
  classifier TEXT NOT NULL,
  -- SHA-256 of the picture, hex.
  id TEXT NOT NULL,
  class TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (classifier, id)
) WITHOUT ROWID, STRICT;

CREATE INDEX examples_by_class ON classifier_examples (classifier, class);

CREATE TRIGGER example_added AFTER INSERT ON classifier_examples
BEGIN
  UPDATE classifiers SET revision = revision + 1, updated_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
  WHERE id = NEW.classifier;
END;
CREATE TRIGGER example_moved AFTER UPDATE OF class ON classifier_examples
BEGIN
  UPDATE classifiers SET revision = revision + 1, updated_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
  WHERE id = NEW.classifier;
END;
CREATE TRIGGER example_removed AFTER DELETE ON classifier_examples
BEGIN
  UPDATE classifiers SET revision = revision + 1, updated_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
  WHERE id = OLD.classifier;
END;

-- A photo that a queue's consumer has to fetch. The row goes when the example is there.
CREATE TABLE classifier_imports (
  id TEXT PRIMARY KEY,
  classifier TEXT NOT NULL,
  class TEXT NOT NULL,
  -- JSON: {"url"} or {"r2_key"}.
  reference TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  -- Set once it has failed for good.
  error_code TEXT,
  error_detail TEXT,
  created_at INTEGER NOT NULL,
  sent_at INTEGER
) STRICT;

CREATE INDEX imports_by_classifier ON classifier_imports (classifier);
CREATE INDEX imports_waiting ON classifier_imports (sent_at) WHERE error_code IS NULL;

CREATE TABLE classifier_versions (
  classifier TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('training', 'ready', 'failed')),
  -- The classifier's revision that it learned from; null until it has begun.
  revision INTEGER,
  -- Whether it was asked for again while it learned, with other examples.
  again INTEGER NOT NULL DEFAULT 0,
  classes INTEGER,
  examples INTEGER,
  -- JSON: {estimate, low, high}.
  accuracy TEXT,
  error_code TEXT,
  error_detail TEXT,
  created_at INTEGER NOT NULL,
  sent_at INTEGER,
  PRIMARY KEY (classifier, version)
) WITHOUT ROWID, STRICT;

-- One lesson of a classifier at a time.
CREATE UNIQUE INDEX versions_training ON classifier_versions (classifier) WHERE state = 'training';
