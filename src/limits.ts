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
 * libwebp decodes whole frames. Measured peak of heap and copies: about 13 bytes a pixel (lossless; 9
 * lossy) over 17 MB for the instance. 2 Mi pixels take 44 MB, which leaves room for one such decode
 * beside the model; see `npm run bench:image`.
 */
export const maxWebpPixels = 2 * 1024 * 1024;
