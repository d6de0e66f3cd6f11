/**
 * Every budget of the service, with the arithmetic that gave it. A limit is checked before the
 * allocation it guards. Units are in the names.
 *
 * An isolate has 128 MB for everything. The worst case that is meant to fit:
 *   52 MB  linear memory: ResNet-50 and ResNet-18 int8, 31 + 20 MB on the kernels that need more
 *   22 MB  the request bodies: one at its limit, and small ones beside it
 *   40 MB  the decoder's working set at its cap
 *   ~12 MB JavaScript heap, code, the runtime itself
 */

const MiB = 1024 * 1024;

/** One request's body. A 48-megapixel phone JPEG is 12 to 18 MB; see the table above for the rest. */
export const maxBodyBytes = 20 * MiB;

/**
 * After a body was refused as too large, this much more is read and dropped, so that a client that is
 * still sending can read why. Cloudflare itself takes no body over 100 MB on most plans.
 */
export const maxDrainBytes = 100 * MiB;
export const maxDrainMs = 10_000;

/** Images in one multipart request: 16 x ~90 ms of inference stays under 2 s of CPU. */
export const maxImagesPerRequest = 16;

/**
 * Elements of one tensor of the Open Inference Protocol: 16 images of 3 x 224 x 224 are 9.6 MB as FP32.
 * As JSON numbers they would not fit maxBodyBytes, which refuses them first.
 */
export const maxTensorElements = 16 * 3 * 224 * 224;

/** All parts together are bounded by maxBodyBytes; headers of parts and text fields by this. */
export const maxMultipartFields = 32;

/** Bytes of a part's header, of a text field, and of what may stand before the first boundary. */
export const maxPartHeaderBytes = 8192;
export const maxTextFieldBytes = 8192;
export const maxPreambleBytes = 8192;

/** Predictions returned: at most one for each class of ImageNet-1k. */
export const maxTopK = 1000;
export const defaultTopK = 5;

/** Characters of a model name or version; longer ones cannot be in a catalogue. */
export const maxModelNameLength = 64;

/** Characters of a problem's `detail`: a few sentences. */
export const maxDetailLength = 1000;

/** catalog.json and manifest.json are read whole before they are parsed: 1 MiB is ~1,000 models. */
export const maxJsonObjectBytes = 1 * MiB;

/** labels.json: 1,000 ImageNet rows are 61 kB; 21,841 classes (ImageNet-21k) about 1.4 MB. */
export const maxLabelsBytes = 4 * MiB;

/**
 * What an isolate keeps of models that it was asked for: manifests, some 2 kB each, and labels by the bytes of their files,
 * about three times as much once parsed. A deployment has a few models, and perhaps thousands of classifiers.
 */
export const maxKeptManifests = 500;
export const maxKeptLabelsBytes = 1 * MiB;

/**
 * Photos of one lesson by the command. It holds three vectors of each, 2,432 x 4 bytes, and compares all pairs: 20,000
 * are 584 MB and some 10 s.
 */
export const maxTeachPhotos = 20_000;

/**
 * Landmarks: photos whose span stands for all while a lesson is judged. An equation of their number is solved 40 times, in
 * 4 ms each; its matrix has 1.2 MB, and the coordinates of 5,000 photos 10 MB.
 */
export const maxJudgeLandmarks = 512;
/**
 * Vectors that weights are fitted on, about: of more than 3,333 photos two views count, not three, and of more than 5,000
 * one. 10,000 of 2,432 features are 30 G products, 0.8 s.
 */
export const maxLessonVectors = 10_000;
/** Unknowns of the equation that gives the weights: its lower triangle is 26.9 MB. */
export const maxLessonUnknowns = 2560;
/** Landmarks' features as INT16: 2,560 of 2,432 features, and 512 of the 15,104 that ResNet-50's blocks have. */
export const maxLandmarkBytes = 16 * MiB;

// ---- Classifiers that callers teach ----

/** Classes of one classifier: its head is 1.9 MB, see below. */
export const maxClassifierClasses = 200;
/** Characters of the name of a classifier, of a class, of an example. */
export const maxClassifierNameLength = 80;

/**
 * Photos of one classifier that is taught by the API. A lesson reads each twice from R2, 512 of them three times, and an invocation
 * may ask for 10,000 objects. It holds 512 coordinates of each, 4,000 x 512 x 4 bytes are 8 MB, and an equation of 2,432 unknowns,
 * 24 MB: beside the default model (20 MB) that is within an isolate, one lesson at a time. It is some 3 s of CPU.
 */
export const maxClassifierExamples = 4000;

/** Classifiers of one caller, and photos in all of them: 3 x 9.7 kB of features each are 0.6 GB of R2. */
export const maxClassifiers = 100;
export const maxCallerExamples = 20_000;

/** Versions that a classifier keeps beside the one that answers. */
export const maxClassifierVersions = 20;

/**
 * Photos in one import by reference, and in one message of it: 16 x 3 views x ~60 ms are 3 s of CPU. An import has one
 * message in the queue at a time, so that a lesson waits 3 s for each import before it, however long that is.
 */
export const maxImportReferences = 1000;
export const importMessageItems = 16;

/** What anonymous callers made is deleted after so long without a change. */
export const anonymousClassifierMs = 30 * 24 * 3_600_000;

/** A lesson's place in an isolate is taken back after so long: longer than any lesson. */
export const maxLessonMs = 15 * 60_000;

/** Heads that one request may name: each costs about a millisecond. */
export const maxHeadsPerRequest = 16;

/** A head's file: 200 classes on the 2,432 features of ResNet-18's blocks are 1.9 MB as float32, and their means 0.5. */
export const maxHeadBytes = 4 * MiB;

/**
 * All heads that an isolate keeps: 20 classes are 244 kB, so that some 40 stay. They are of what the runtime itself is
 * given in the table above.
 */
export const maxHeadsBytes = 10 * MiB;
/** Likewise on the Node tier, which has gigabytes: a thousand heads of 20 classes. */
export const maxTierHeadsBytes = 256 * MiB;

/** onnxruntime-web's linear memory before any model is loaded (its initial size, ORT 1.30.0). */
export const runtimeBaseBytes = 16 * MiB;

/**
 * Linear memory that the loaded models of an isolate may have together: 128 MB less the body (20), a
 * decoder that works by rows (20) and code and runtime (about 20). The int8 engine's ResNet-18 and
 * ResNet-50 take 18.3 + 28.4 MB on the relaxed kernels and 19.8 + 30.7 on the plain ones: both stay.
 * Through onnxruntime-web ResNet-18 needs 36.7 in int8 and about 64 in fp32.
 * A lossless WebP at its own limit (40, below) asks 20 more: it is within 128 beside up to 48 MB of models.
 */
export const maxRuntimeBytes = 66 * MiB;

/** How long a request waits for a model that another request is loading, before 503 and a retry. */
export const modelLoadTimeoutMs = 15_000;

/** A source that gives no byte of a model for so long is left for the next one. */
export const modelReadTimeoutMs = 4_000;

/** Memory that a model's bytes pass through, a load. */
export const modelChunkBytes = 64 * 1024;

/**
 * After so many bytes of a model other work of the isolate has its turn. A store that is fast enough would else keep it
 * out until the whole model is there: bodies come in and images are decoded between two turns. 12 MB take 12 of them, and
 * each about a millisecond of the load.
 */
export const modelTurnBytes = MiB;

/** After a failed load the next attempt waits this long, so that a missing object is not hammered. */
export const modelLoadCooldownMs = 1_000;

/** How old an isolate's copy of catalog.json may be: a moved alias reaches every isolate in this time. */
export const catalogTtlMs = 30_000;

// ---- Images ----

/**
 * What one decoder may allocate beyond the bytes it was given. Of a progressive JPEG without its last scans the DC
 * coefficients of all blocks are part of it: 2 bytes for 64 samples, 8.4 MB for 64 Mi pixels of four components.
 */
export const maxDecoderBytes = 20 * MiB;

/**
 * The rows' memory that an isolate keeps from one image to the next: 48 MP take 2 MB (asserted in
 * test/image/memory.test.ts). What a very wide image made larger, within maxDecoderBytes, is let go.
 */
export const maxKeptArenaBytes = 4 * MiB;

/**
 * Formats decoded row by row (JPEG, PNG, GIF, BMP, lossy WebP) hold a few rows, so time is their limit, not memory.
 * 64 Mi pixels admit the largest phone sensors in their full mode (9248 x 6936 = 64.1 MP) and cost
 * about 1 to 2 s of CPU as a baseline JPEG: well inside a Worker's default of 30 s.
 */
export const maxStreamedPixels = 64 * MiB;

/**
 * No side may be longer. A row of 65,535 RGBA pixels of 16 bits is 0.5 MB; a PNG decoder holds three, and 0.2 MB to
 * inflate them. The passes of an interlaced one have 2.75 rows together: 5.5 MB. A JPEG cannot declare more.
 */
export const maxImageSide = 65_535;

/**
 * What the pixels of a PNG may inflate to, all passes together: RGBA of 8 bits at maxStreamedPixels, 16 bits of half as
 * many, and two thirds of either if it is interlaced: each pass inflates those before it, which counts by half. They
 * compress to a thousandth, so the bytes of a file say nothing: 256 MiB take 1.5 to 2 s of CPU.
 */
export const maxPngInflatedBytes = 4 * maxStreamedPixels + maxImageSide;

/**
 * What a compressed text of a PNG may inflate to: as much as Pillow takes. It is read for an orientation alone; an
 * Exif profile is some kilobytes, an XMP packet that an editor filled with its history hundreds.
 */
export const maxInflatedTextBytes = 1 * MiB;

/**
 * What is joined of a JPEG's Exif segments: 16 full ones. The orientation stands in the first directory, which comes
 * before all that makes such a block long. A single segment is read where it lies.
 */
export const maxJoinedExifBytes = 1 * MiB;

/**
 * Scans of one JPEG. Encoders write 1 to about 15; a scan costs up to 100 KB for its tables (4 of DC with 4 KB, 4 of
 * AC with 21 KB), so 200 keep within maxDecoderBytes even if each defines its own.
 */
export const maxJpegScans = 200;

/**
 * Scans of a progressive JPEG that kernels decode, each with 14 KB of window and a table of 29 KB; one table more for
 * each component, since a scan of DC may have several: 1 MB. libjpeg writes 10 for YCbCr and 18 for CMYK; a file with
 * more scans or tables is decoded without kernels.
 */
export const maxJpegRoutineScans = 20;

/**
 * Blocks visited by all scans of a JPEG together. A 64 MP image has 3.1 M blocks at 4:4:4, which standard
 * progressive coding visits 5 times: 16 M visits, at 20 to 100 ns each, are about 1 s.
 */
export const maxJpegBlockVisits = 16_000_000;

/**
 * Strips or tiles of one plane of a TIFF. Each costs 6 to 11 µs by Deflate: 0.7 s in all. They admit a strip for each row
 * of the longest side, tiles of 16 x 16 pixels in 16 MP and of 32 x 32 in 64.
 */
export const maxTiffSegments = 65_536;

/**
 * Strips or tiles of a TIFF by JPEG. Each may have tables of its own, which cost about 60 µs: 20,000 take 1.2 s. Strips
 * of 8 rows are 8,192 at most, tiles of 64 x 64 pixels 16,384.
 */
export const maxTiffJpegSegments = 20_000;

/**
 * Coded bytes of all strips or tiles of a TIFF together, by the length of the file. They may share some, as those of
 * blank tiles; if they overlapped at will, 20 MiB could be searched 65,535 times.
 */
export const maxTiffSegmentBytes = (fileBytes: number) => 4 * fileBytes + 1 * MiB;

/**
 * What is copied of a TIFF. All of it is copied if its bits are the other way round, as in faxes: an A0 sheet is some
 * 2 MB. Strips of JPEG in the old style are copied: a page is 1 MB. A large one is a single strip, which is not
 * copied.
 */
export const maxTiffCopiedBytes = 8 * MiB;

/** The tables that JPEG strips share: 4 of quantization with 129 bytes and 8 of Huffman codes with 273 are 3 KB. */
export const maxJpegTablesBytes = 65_536;

/**
 * A row of tiles of a TIFF as RGB: 256 rows of 13,650 pixels. Where it is larger, it is decoded in parts, each of which
 * decodes the tiles anew down to its end: 4 parts cost 2.5 times the work, and take tiles of 1,700 rows in an image of
 * 8,192 pixels a side. With the 8 MiB of `maxTiffCopiedBytes` it is within maxDecoderBytes.
 */
export const maxTiffBandBytes = 10 * MiB;
export const maxTiffBandParts = 4;

/**
 * What Zstandard may refer back to, of all planes of a TIFF together: RFC 8878 asks readers for 8 MiB. Each has up to
 * 1 MiB more, and 0.2 MB of tables. A strip that is shorter is held whole, and no more.
 */
export const maxZstdHistoryBytes = 8 * MiB;

/**
 * A row of all samples of a TIFF's strip or tile: 65,535 pixels of 8 samples of 16 bits. A decoder holds two such
 * rows and one of RGB. Tiles may be wider than the image; such are refused beyond it.
 */
export const maxTiffRowBytes = 1 * MiB;

/**
 * Lossy WebP is decoded by rows of macroblocks, within maxStreamedPixels. The widest has 16,383 pixels: 26 rows of luma
 * and 13 of each chroma plane at half the width are 0.64 MB, and a row of RGB, what is kept of the row above and the
 * windows of 8 partitions 0.4 MB more: within maxDecoderBytes, and at 4,032 pixels 0.5 MB.
 *
 * libwebp decodes lossless ones as whole frames. Its heap begins at 16.8 MB and, measured on noise, ends at 9.8 bytes a
 * pixel; the copy that leaves it is 4 more. It holds the file too: 2.45 bytes for each of its own, as it grows.
 */
export const webpBytesPerPixel = 13.8;
export const webpBytesPerFileByte = 2.45;

/**
 * Beside 52 MB of resident models this is all the memory there is: 2.5 MP of a lossless WebP of 3 MB. Such a decode
 * runs alone.
 */
export const maxWebpBytes = 40 * 1024 * 1024;

/** Tiles of a HEIC or AVIF. A photo of 200 MP in tiles of 512 x 512 pixels has 768, one of 12 MP 48. */
export const maxHeifTiles = 4096;

/**
 * Items of an AVIF that are read into a table: tiles, those of its alpha, two grids and metadata; and what ties
 * properties to them, of which a tile has some five. At the most the table is 6 MB. A file with more goes to libavif.
 */
export const maxHeifItems = 2 * maxHeifTiles + 64;
export const maxHeifAssociations = 8 * maxHeifItems;

/**
 * libheif's heap for one HEIC, the copy of the file in it included; it does not grow beyond. It begins at 17 MB, which is
 * enough for a photo of 12 MP in tiles of 512 x 512 pixels and a file of 4 MB. With a file of 18 MB, 48 MP take 34 MB, of
 * which 16 are not the file; 200 MP with one of 2 MB take 26. As the WebP below, such a decode runs alone.
 */
export const maxHeicHeapBytes = 40 * MiB;

/**
 * What is foreseen of that heap, before the module is loaded: the least that was measured, of 4:2:0 and 8 bits. Of the
 * tile at work: its planes twice and what the decoder notes of each block. Of each tile that waits for its row's end:
 * RGB. A picture that is one tile may have 4.7 MP less the file. What takes more than foreseen (4:4:4, 10 bits, alpha)
 * is refused when the heap is full.
 */
export const heicHeapBaseBytes = 1 * MiB;
export const heicBytesPerTilePixel = { decoding: 5.5, kept: 3 } as const;

/** Bytes of all tiles of a HEIC together, by the length of the file: as `maxTiffSegmentBytes`. */
export const maxHeicCodedBytes = (fileBytes: number) => 4 * fileBytes + 1 * MiB;

/**
 * A HEIC in tiles holds a row of them, so time is its limit: 200 MP (16320 x 12240, the largest phone sensors) cost 5.8 s
 * of CPU with all tiles, of which a crop needs three quarters.
 */
export const maxHeicPixels = 200 * MiB;

/**
 * The heap of libavif or dav1d for one AVIF, the copy of the file in it included; it does not grow beyond. It fits beside the default
 * model (20 MB) and a body of 20, and beside both models (52) with bodies of 10. Such a decode runs alone.
 */
export const maxAvifBytes = 52 * MiB;

/**
 * What is foreseen of libavif's heap, before the module is loaded: what was measured of photos of 4:2:0 and 8 bits, up to
 * quality 75. Those go to dav1d; the others take as much or more. It begins at 16.8 MB. libaom, the AV1 decoder, notes
 * much of each block: 13.5 bytes for a pixel of a frame. Of a grid, a tile is a frame, and its planes are kept with 1.5
 * bytes for each pixel of the whole. 52 MiB admit 2.8 MP less the file, and 22 MP in tiles of 512 x 512. What takes more
 * than foreseen (4:4:4, 10 bits, high quality) is refused when the heap is full.
 */
export const avifBaseBytes = 16 * MiB;
export const avifBytesPerPixel = { decoding: 13.5, kept: 1.5 } as const;

/**
 * AVIFs of 8 bits and 4:2:0 go to dav1d, whose heap, with what is kept beside it, has the same cap. It begins at
 * 16.8 MB, of which 5.2 are its stack, and is given the coded bytes, not the whole file. Of files of 6 to 31 MP, at
 * qualities of 50 to 100, it ended at 6.4 MB, 1.97 to 2.03 bytes a pixel and the coded bytes: planes are 1.5, what is
 * noted of blocks 0.45. Film grain makes a second picture, of 1.54 to 1.59 bytes. 52 MiB admit 23 MP less the file, and
 * 13 MP with film grain; 12.2 MP took 31 MB, with film grain 50. The heap has two tiles of a grid, and a row of tiles is
 * beside it: 12 MP in tiles of 512 x 512 take 20 MB. What takes more than foreseen (super-resolution) is refused when
 * the heap is full.
 *
 * 23 MP cost 1.8 s of CPU at quality 90. A grid has at most `maxStreamedPixels`, and 40 to 80 ms a megapixel of the tiles
 * that the crop needs.
 */
export const dav1dHeapBytes = {
  first: 16 * MiB,
  base: 6.5 * 1_000_000,
  perPixel: { picture: 1.6, blocks: 0.45 },
} as const;

/** Bytes of all tiles of an AVIF that go to dav1d, which are copied one by one: as `maxHeicCodedBytes`. */
export const maxAvifCodedBytes = maxHeicCodedBytes;

// ---- What the service fetches itself ----

/** Browsers and servers agree on about 2,000 characters; signed storage URLs reach some 1,500. */
export const maxUrlLength = 4096;
export const maxUrlRedirects = 5;
/** From the first look-up to the last byte. */
export const urlTimeoutMs = 5_000;

// ---- Admission to an isolate ----

/** A body of at most so many bytes, each counted by its weight, is a small one. A photo for the web has 0.1 to 0.5 MB. */
export const maxSmallBodyBytes = 1 * MiB;
/** Room that only small bodies may take, beside a large one at its limit: ten photos for the web. */
export const smallBodyRoomBytes = 2 * MiB;
/**
 * Bytes of request bodies held at once: one at its limit, and the room of small ones. A JSON body counts fourfold,
 * because its bytes, text, base64 string and image exist at the same time; so it is limited to a quarter.
 */
export const maxBodiesInFlightBytes = maxBodyBytes + smallBodyRoomBytes;
export const jsonBodyWeight = 4;
export const maxJsonBodyBytes = maxBodyBytes / jsonBodyWeight;

/** A tensor body: 16 images of 3 x 224 x 224 in float32 are 9.6 MB, and are copied once to be aligned. */
export const maxTensorBodyBytes = 10 * MiB;
export const tensorBodyWeight = 2;

/** A body takes bytes of an isolate in steps of so many, as they come. A thousand dripping bodies hold 16 MiB. */
export const bodyStepBytes = 16 * 1024;
/** From this share of its declared length on, a body holds all of it, so that it is written in place. */
export const wellBegunShare = 1 / 4;

/** A body that sends nothing for so long is given up, so that it does not keep its place. */
export const bodyIdleTimeoutMs = 10_000;
/** A whole body: 20 MiB at 6 Mbit/s take 28 s. */
export const bodyTimeoutMs = 30_000;
/**
 * While others wait for its place a body has to keep the pace that brings it within bodyTimeoutMs, after this start:
 * 20 MiB keep 5.6 Mbit/s, 1 MiB 280 kbit/s. Otherwise a caller who declares 20 MiB and sends nothing stops an
 * isolate.
 */
export const bodyHeadStartMs = 2_000;

/**
 * Bytes that the bodies of one caller hold together: half of those of large bodies, so that another one's photo of 10 MiB
 * comes in beside them. A body that is larger by itself may have more, up to its limit: it borrows.
 */
export const callerBodiesShareBytes = maxBodyBytes / 2;
/**
 * While another caller waits, a body of one who borrows has to keep the pace that brings it within this: 20 MiB keep 28
 * Mbit/s. It is less than the 10 s that a request waits.
 */
export const borrowedBodyTimeoutMs = 6_000;

/** Requests that wait for a place: at 90 ms each the last of 64 would wait about 6 s. */
export const maxWaitingRequests = 64;

/** How long a request waits in all unless `Prefer: wait=` says otherwise, and the most it may ask for. */
export const defaultWaitMs = 10_000;
export const maxWaitMs = 30_000;
/** And the least: in a second a request is answered that need not wait for others. */
export const minWaitMs = 1_000;

/** How long an item of a batch waits for its turn to be decoded here, before its message is tried again. */
export const edgeItemWaitMs = 30_000;

/** A place that nobody gave back: longer than any decode, shorter than a Worker's patience. */
export const maxHoldMs = 60_000;

// ---- Access ----

/** An upload token lives from a few seconds to an hour: it cannot be revoked. */
export const defaultUploadTokenSeconds = 300;
export const maxUploadTokenSeconds = 3600;

/** Clocks of the machine that makes a token and of the one that reads it may differ by so much. */
export const uploadTokenSkewSeconds = 30;

/** A credential: keys have 50 characters, tokens some 250. */
export const maxCredentialLength = 2048;

// ---- Batches ----

/** References in one batch. Their rows are 100,000 / 32 = 3,125 chunks, about 15 MB of D1. */
export const maxBatchItems = 100_000;

/** Images of one key that are accepted and not answered: ten batches, whose rows are about 150 MB of D1's 10 GB. */
export const maxPendingItems = 10 * maxBatchItems;

/**
 * Databases that batches may be spread over: 16 x 10 GB are the rows of 10 billion images a month (`npm run scale`). A
 * list, and a request with a new Idempotency-Key, ask each of them: 16 statements.
 */
export const maxBatchDatabases = 16;

/** How often the sweep runs (wrangler.toml, `crons`). Each one begins with another database. */
export const sweepIntervalMs = 5 * 60_000;

/** One batch's body, streamed, never held: what Cloudflare takes on most plans. */
export const maxBatchBodyBytes = 100 * MiB;
/** That body as a whole, whose items are stored as they come: 100 MiB at 3 Mbit/s take 280 s. */
export const batchBodyTimeoutMs = 5 * 60_000;

/**
 * A line of NDJSON without its image, which is decoded as it comes: a URL of 4 kB, options with 4 kB of metadata, each
 * byte of which may be escaped as six.
 */
export const maxInputTextBytes = 64 * 1024;

/**
 * Arrays, objects and members of untrusted JSON. A list of 100,000 references has as many objects, each of some 100 bytes
 * once it is parsed: 10 MB. Tensors of 16 images have 11,000 arrays.
 */
export const maxJsonContainers = 131_072;
export const maxJsonMembers = 262_144;

/** Items that one queue message stands for: 32 x ~50 ms of inference at the edge are under 2 s. */
export const batchChunkItems = 32;

/** Of those, the images whose results the edge stores together: the dearest take 2 s each, so that 16 s are lost at most. */
export const edgeGroupItems = 8;

/** Chunks in one INSERT: 10 x 32 references of at most 4.2 KB are 1.4 MB; a D1 value may have 2 MB. */
export const chunkRowsPerInsert = 10;

/** Images of a request are put into objects of this size; one that is larger has one of its own. */
export const packBytes = 4 * MiB;

/** Predictions per item: a chunk's results are read whole, 32 x 100 x ~100 bytes = 320 KB. */
export const maxBatchTopK = 100;

/** Characters of a batch's metadata as JSON. */
export const maxMetadataBytes = 4096;

/** Times an item is tried whose image cannot be had or on which the tier dies. */
export const maxItemAttempts = 5;

/** When a caller may ask again whom D1, R2 or Queues did not serve: their troubles pass within seconds. */
export const storageRetrySeconds = 5;

/** Longest wait between two attempts at a chunk; with 100 attempts a batch outlives 16 hours without its tier. */
export const maxRetryDelaySeconds = 600;

/** An address that answered 410 gets no webhooks of the same owner for so long, unless the owner asks for them again. */
export const endpointGoneMs = 7 * 24 * 3_600_000;

/**
 * A claimed attempt at a webhook is another message's after so long: the receiver's 20 s, and as much for D1.
 */
export const webhookClaimMs = 40_000;

/**
 * A request that is still being read after so long has died, whose Idempotency-Key another one may take over: the longest
 * time of a body, and a minute for what stores it.
 */
export const abandonedUploadMs = 6 * 60_000;

/** A webhook's receiver has to answer within this; the specification advises 15 to 30 s. */
export const webhookTimeoutMs = 20_000;

/** How often a batch's events look for progress (one row of D1 each time), and how long one stream lasts. */
export const eventsIntervalMs = 1000;
export const maxEventsMs = 15 * 60_000;

/** An inbound event: text with a URL in it, not the image. */
export const maxWebhookBytes = 1 * MiB;

/** What R2 takes as custom metadata of an object. */
export const maxCustomMetadataBytes = 8192;

// ---- The Node tier ----

/** libheif's heap on the tier, for each thread that decodes: a single-tile HEIC of 48 MP takes about 410 MB. */
export const maxTierHeicHeapBytes = 512 * MiB;

/** Items in one request to the tier. */
export const maxTierItems = 256;

/** The tier says whether it takes a chunk at once; then it may be silent while a large image is decoded. */
export const tierConnectMs = 10_000;
export const tierSilenceMs = 60_000;

/** A chunk whose next image does not come for so long gives its room to others until it comes. */
export const tierStallMs = 2_000;

/**
 * What the tier may answer to one tensor: 21,841 classes (ImageNet-21k) as FP32 are 87 kB, and a line of JSON before
 * them some 200 bytes. Beside 20 MiB of body 1 MiB is nothing, and has room for 262,000 classes.
 */
export const maxTierAnswerBytes = 1 * MiB;

/**
 * JSON of a tensor request to the tier. Numbers have 2 characters or more, and 8 bytes once they are parsed: 64 MB beside
 * the text. 64 images are sent as bytes.
 */
export const maxTierJsonBytes = 16 * MiB;

/** A tensor request to the tier: 64 images of 3 x 224 x 224 as FP32 are 38.5 MB. */
export const maxTierTensorBytes = 64 * MiB;

/** Bodies of tensor requests that the tier holds at once, each as long as it says it is: four at their limit. */
export const maxTierBodiesBytes = 4 * maxTierTensorBytes;
/** Memory of bodies that is kept for the next ones: six of 16 images; bounded, whatever sizes come. */
export const maxKeptBodyBytes = 64 * MiB;
/** A body may be held for as long as a batch may take. */
export const maxTierHoldMs = 10 * 60_000;
