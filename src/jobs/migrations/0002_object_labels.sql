-- Labels of objects in a bucket that reports its events (src/object-labels/README.md). One row for what an
-- object holds: the etag is that of the bytes, so that an event that comes twice is counted once.
CREATE TABLE object_labels (
  bucket TEXT NOT NULL,
  key TEXT NOT NULL,
  etag TEXT NOT NULL,
  -- JSON, as a batch's result: predictions, or a problem.
  result TEXT NOT NULL,
  -- Milliseconds since 1970.
  labelled_at INTEGER NOT NULL,
  PRIMARY KEY (bucket, key, etag)
) WITHOUT ROWID, STRICT;
