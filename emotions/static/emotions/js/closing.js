// Why the server closes a socket for good: CloseCode in emotions/messages.py. After other codes a page comes back.

export const CODE = Object.freeze({
  MALFORMED: 4400,
  NOT_JOINED: 4401,
  REMOVED: 4403,
  NO_SUCH_SESSION: 4404,
  TAKEN_OVER: 4409,
  SESSION_ENDED: 4410,
  WITHDRAWN: 4411,
  TOO_LARGE: 4413,
  OUTDATED: 4426,
  TOO_MANY: 4429,
});

/** Also of a code that this page does not know: a later server may have more to say. */
export const isFinal = (code) => code >= 4400 && code < 4500;
