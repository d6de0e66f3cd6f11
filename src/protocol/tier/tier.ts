/** Where an image was classified: in this isolate, or on the Node tier. */
export type Tier = 'edge' | 'node';
