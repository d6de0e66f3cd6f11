-- What is done with each image of a batch.
ALTER TABLE batches ADD COLUMN task TEXT NOT NULL DEFAULT 'classify' CHECK (task IN ('classify', 'embed'));
