/** What may be wrong with a file that is shown nevertheless. The codes are stable. */
export type ImageWarning =
  | 'jpeg_data_damaged'
  | 'jpeg_scans_missing'
  | 'png_checksum_mismatch'
  | 'tiff_fax_damaged';

/** What each means, to be said behind "The PNG is malformed:". */
export const imageWarnings: Readonly<Record<ImageWarning, string>> = {
  jpeg_data_damaged: 'its pixel data is damaged',
  jpeg_scans_missing: 'its last scans are missing',
  png_checksum_mismatch: 'a checksum of its pixel data is wrong or missing',
  tiff_fax_damaged: 'a line of a fax is damaged',
};
export const imageWarningCodes = Object.keys(imageWarnings) as [ImageWarning, ...ImageWarning[]];

export function isImageWarning(code: string): code is ImageWarning {
  return Object.hasOwn(imageWarnings, code);
}

/** Called by a decoder for what it forgives. It throws where nothing is to be forgiven. */
export type Warn = (warning: ImageWarning) => void;
