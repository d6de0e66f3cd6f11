/** What may be wrong with a file that is shown nevertheless: stable codes, and what they mean. */
export const imageWarnings = {
  png_checksum_mismatch: 'a checksum of its pixel data is wrong or missing',
} as const satisfies Readonly<Record<string, string>>;

export type ImageWarning = keyof typeof imageWarnings;

/** Called by a decoder for what it forgives. It throws where nothing is to be forgiven. */
export type Warn = (warning: ImageWarning) => void;
