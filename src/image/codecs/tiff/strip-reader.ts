/** Reads the uncompressed bytes of one strip or tile forwards. */
export interface StripReader {
  /** Fills `target`, one row. @throws {CodedError} `image_truncated`, `image_malformed`. */
  read(target: Uint8Array): void;
}
