-- The state machine of batches. Every transition is one statement, and what must follow from it (counters,
-- the end of a batch, the webhook that is then owed) follows by trigger in the same transaction: there
-- is no moment at which a crash could leave the one without the other.

CREATE TABLE batches (
  id TEXT PRIMARY KEY,
  -- Id of the API key that made it; '' where the deployment is public.
  owner TEXT NOT NULL,
  idempotency_key TEXT,
  -- SHA-256 of the request that the idempotency key stands for.
  fingerprint TEXT,
  status TEXT NOT NULL CHECK (status IN ('starting', 'processing', 'succeeded', 'partial', 'failed', 'canceled')),
  tier TEXT NOT NULL CHECK (tier IN ('edge', 'node')),
  model TEXT NOT NULL,
  model_version TEXT NOT NULL,
  top_k INTEGER NOT NULL,
  webhook_url TEXT,
  metadata TEXT NOT NULL,
  total INTEGER NOT NULL DEFAULT 0,
  succeeded INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  -- What holds it up right now, for whoever looks: an error code of the tier.
  last_trouble TEXT,
  -- Milliseconds since 1970, like every time here.
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  progress_at INTEGER,
  finished_at INTEGER,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX batches_by_idempotency_key ON batches (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX batches_by_owner ON batches (owner, created_at);
CREATE INDEX batches_by_expiry ON batches (expires_at);
CREATE INDEX batches_unfinished ON batches (progress_at) WHERE status IN ('starting', 'processing');

-- A chunk is what one queue message stands for. Results are in R2 (batches/<id>/results/<chunk>); the
-- counts here are derived from that object and only ever grow.
CREATE TABLE batch_chunks (
  batch_id TEXT NOT NULL,
  chunk INTEGER NOT NULL,
  first_index INTEGER NOT NULL,
  item_count INTEGER NOT NULL,
  -- JSON list of references, one for each item.
  inputs TEXT NOT NULL,
  succeeded INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  -- JSON: index -> {attempts, code, detail} of items that failed but will be tried again.
  troubles TEXT NOT NULL DEFAULT '{}',
  -- When its message was last sent; null: not yet.
  sent_at INTEGER,
  PRIMARY KEY (batch_id, chunk)
) WITHOUT ROWID, STRICT;

CREATE TRIGGER chunk_counts AFTER UPDATE OF succeeded, failed ON batch_chunks
BEGIN
  UPDATE batches
  SET succeeded = succeeded + NEW.succeeded - OLD.succeeded,
      failed = failed + NEW.failed - OLD.failed,
      progress_at = CAST(unixepoch('subsec') * 1000 AS INTEGER),
      last_trouble = NULL
  WHERE id = NEW.batch_id;
END;

CREATE TRIGGER batch_end AFTER UPDATE OF succeeded, failed, status ON batches
WHEN NEW.status = 'processing' AND NEW.succeeded + NEW.failed = NEW.total
BEGIN
  UPDATE batches
  SET status = CASE WHEN NEW.failed = 0 THEN 'succeeded' WHEN NEW.succeeded = 0 THEN 'failed' ELSE 'partial' END,
      finished_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
  WHERE id = NEW.id;
END;

-- One event that is owed to one endpoint.
CREATE TABLE webhook_deliveries (
  id TEXT PRIMARY KEY,
  batch_id TEXT NOT NULL,
  type TEXT NOT NULL,
  url TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed', 'disabled')),
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX deliveries_by_batch ON webhook_deliveries (batch_id);
CREATE INDEX deliveries_owed ON webhook_deliveries (next_attempt_at) WHERE state = 'pending';

CREATE TABLE webhook_attempts (
  delivery_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  at INTEGER NOT NULL,
  -- HTTP status, null without an answer.
  status INTEGER,
  error TEXT,
  PRIMARY KEY (delivery_id, attempt)
) WITHOUT ROWID, STRICT;

-- Endpoints that answered 410 Gone.
CREATE TABLE webhook_endpoints_gone (
  url TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TRIGGER webhook_owed AFTER UPDATE OF status ON batches
WHEN NEW.webhook_url IS NOT NULL
  AND OLD.status IN ('starting', 'processing')
  AND NEW.status IN ('succeeded', 'partial', 'failed', 'canceled')
BEGIN
  INSERT INTO webhook_deliveries (id, batch_id, type, url, next_attempt_at, created_at)
  VALUES (
    'msg_' || lower(hex(randomblob(16))), NEW.id, 'batch.' || NEW.status, NEW.webhook_url,
    CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER)
  );
END;
