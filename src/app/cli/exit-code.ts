/** Exit codes of every command. */
export const EXIT_FAILED = 1;
/** Wrong usage or configuration, or a port that cannot be listened on: something that the caller can put right. */
export const EXIT_USAGE = 2;
