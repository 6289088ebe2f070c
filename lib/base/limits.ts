/**
 * Every fixed limit, with its unit at the end of its name. What a user may change stands in the configuration
 * (`lib/model/configuration.ts`) instead.
 */
export const limits = Object.freeze({
  /** A request body over HTTP: exactly this many bytes pass. */
  requestBodyBytes: 1_048_576,
  /** A file in the inbox. */
  inboxFileBytes: 1_048_576,
  /** One line of the ledger, without its newline. */
  ledgerLineBytes: 16_777_216,
  /** `job_id`, in UTF-8. */
  jobIdBytes: 256,
  /** `idempotency_key`, in UTF-8. */
  idempotencyKeyBytes: 256,
  /** Nesting of a payload: an object inside an object is a depth of two. */
  payloadDepth: 64,
  /** `limit` of `GET /v1/events`; more is capped, not refused. */
  eventsPerPage: 1000,
  /** The size at which a segment ends and the next begins. */
  segmentBytes: 67_108_864,
  /** Size of the blocks in which a segment is read. */
  readBlockBytes: 4_194_304,
  /** Two neighbours in the sparse index of the ledger stand at most this many events apart. */
  indexStepEvents: 256,
});
