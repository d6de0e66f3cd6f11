/** One operator, all addresses resolved. */
export type Step = () => void;
