interface Words {
  readonly what: string;
  readonly advice: string;
}

const formats = 'It reads JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF and BMP.';
const another = 'Try another picture.';
const smaller = 'Send a smaller copy of it.';

/** The API's codes that a person meets on this page. For others, the service's own detail is shown. */
const words: Readonly<Record<string, Words>> = {
  offline: { what: 'You are offline.', advice: 'The page goes on by itself once the network is back.' },
  unreachable: {
    what: 'The service does not answer.',
    advice: 'Look at your connection, then try again.',
  },
  page_failed: { what: 'Something went wrong in this page.', advice: 'Load the page again.' },
  answer_unexpected: {
    what: 'The service answered in a way that this page does not understand.',
    advice: 'Load the page again: it may be older than the service.',
  },
  body_empty: { what: 'This file is empty.', advice: another },
  image_format_unknown: { what: 'This file is not a picture that the service knows.', advice: formats },
  image_format_unsupported: { what: 'The service does not read this kind of picture.', advice: formats },
  image_malformed: { what: 'This picture is damaged.', advice: another },
  image_truncated: { what: 'This picture ends early: a part of the file is missing.', advice: another },
  image_too_many_pixels: { what: 'This picture has too many pixels.', advice: smaller },
  image_too_complex: { what: 'This picture would cost too much to decode.', advice: smaller },
  body_too_large: { what: 'This file is larger than 20 MiB.', advice: smaller },
  body_timeout: { what: 'The picture came too slowly.', advice: 'Try again on a faster connection.' },
  url_invalid: { what: 'This is not the address of a picture.', advice: 'It begins with https://.' },
  url_forbidden: {
    what: 'The service does not fetch from this address.',
    advice: 'It takes https addresses of the public internet.',
  },
  url_unreachable: {
    what: 'This address gave no picture.',
    advice: 'Open it in a tab of its own: it has to be the picture itself, not a page around it.',
  },
  url_too_large: { what: 'The picture at this address is larger than 20 MiB.', advice: smaller },
  credential_missing: {
    what: 'This service is private.',
    advice: 'Ask its owner for an API key or an upload token.',
  },
  credential_invalid: {
    what: 'The service does not accept this key.',
    advice: 'Look for a missing letter. Keys and tokens also expire.',
  },
  scope_missing: {
    what: 'This key may not do that.',
    advice: 'Ask the owner of the service for another key.',
  },
  rate_limited: { what: 'Too many requests from here.', advice: 'Wait a little, then try again.' },
  overloaded: { what: 'The service has too much to do.', advice: 'Wait a little, then try again.' },
  access_not_configured: {
    what: 'This service is not open yet.',
    advice: 'Its owner has to set API_KEYS or PUBLIC_SCOPES.',
  },
  model_unknown: { what: 'There is no model of this name any more.', advice: 'Choose another model.' },
  model_unavailable: {
    what: 'The model is not there at the moment.',
    advice: 'Try again, or choose another model.',
  },
  classifier_not_configured: {
    what: 'This deployment cannot teach.',
    advice: 'Its owner has to give it the database and the queue of lessons.',
  },
  classifier_quota_exceeded: {
    what: 'There is no more room.',
    advice: 'Remove photos or classifiers that you no longer need.',
  },
  embedding_unsupported: {
    what: 'The default model gives no features to learn from.',
    advice: 'Its owner can choose one that runs on the int8 engine.',
  },
  classifier_unknown: {
    what: 'This classifier is gone.',
    advice: 'It was deleted, here or elsewhere. Make a new one.',
  },
};

export const toWords = (code: string): Words | undefined => words[code];
