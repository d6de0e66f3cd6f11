/** Runs one operator. All its addresses are computed already. */
export type Step = () => void;
