// When a socket that was closed is opened again: never after a 44xx code, for the server has said why it closed.

const WAITS = [1, 2, 4, 8, 15];

export const isFinal = (code) => code >= 4400 && code < 4500;

/** Seconds to wait after so many failures in a row before this one. */
export const waitAfter = (failures) => WAITS[Math.min(failures, WAITS.length - 1)];
