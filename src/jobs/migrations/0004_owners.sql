-- Endpoints that answered 410 Gone: to the owner of the batch, for a while.
DROP TABLE webhook_endpoints_gone;

CREATE TABLE webhook_endpoints_gone (
  owner TEXT NOT NULL,
  url TEXT NOT NULL,
  -- Milliseconds since 1970.
  at INTEGER NOT NULL,
  PRIMARY KEY (owner, url)
) WITHOUT ROWID, STRICT;
