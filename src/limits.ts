/**
 * Every budget of the service, each with the arithmetic behind it. An isolate has 128 MB for all that
 * runs in it. onnxruntime-web's heap takes 29 to 52 MB (int8 ResNet-18 to ResNet-50), the Worker's
 * code and V8 about 10 MB, the uploaded bytes up to maxImageBytes, which leaves some 40 MB for one
 * image being decoded. Half of that is what a decoder may take, so that two requests fit at once.
 */

/** What one decoder may allocate beyond the bytes it was given. */
export const maxDecoderBytes = 20 * 1024 * 1024;

/**
 * Formats decoded row by row (JPEG, PNG, GIF, BMP) hold a few rows, so time is their limit, not memory.
 * 64 Mi pixels admit the largest phone sensors in their full mode (9248 x 6936 = 64.1 MP) and cost
 * about 1 to 2 s of CPU as a baseline JPEG: well inside a Worker's default of 30 s.
 */
export const maxStreamedPixels = 64 * 1024 * 1024;

/**
 * No side may be longer. A row of 65,535 RGBA pixels of 16 bits is 0.5 MB, and a PNG decoder holds
 * two; a JPEG cannot declare more.
 */
export const maxImageSide = 65_535;

/**
 * Scans of one JPEG. Encoders write 1 to about 15; a scan costs up to 60 KB for its tables, so 200 keep
 * within maxDecoderBytes even if each defines its own.
 */
export const maxJpegScans = 200;

/**
 * Blocks visited by all scans of a JPEG together. A 64 MP image has 3.1 M blocks at 4:4:4, which standard
 * progressive coding visits 5 times: 16 M visits, at 20 to 100 ns each, are about 1 s.
 */
export const maxJpegBlockVisits = 16_000_000;

/**
 * libwebp decodes whole frames. Its heap begins at 16.8 MB and, measured, ends at 5.2 bytes a pixel for
 * plain lossy images and 12.1 for lossless ones or such with alpha; the copy that leaves it is 4 more.
 */
export const webpBytesPerPixel = { lossy: 9.5, losslessOrAlpha: 16.2 } as const;

/**
 * Beside a resident model of 52 MB this is all the memory there is: 4.4 MP of a plain lossy WebP, 2.6 MP
 * of another. Such a decode runs alone.
 */
export const maxWebpBytes = 40 * 1024 * 1024;
