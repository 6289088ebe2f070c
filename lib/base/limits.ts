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
  /** The payload of an event that a worker records, in UTF-8. */
  recordedPayloadBytes: 262_144,
  /** Nesting of a payload: an object inside an object is a depth of two. */
  payloadDepth: 64,
  /** `limit` of `GET /v1/events`; more is capped, not refused. */
  eventsPerPage: 1000,
  /** The size at which a segment ends and the next begins. */
  segmentBytes: 67_108_864,
  /** Size of the blocks in which a segment is read. */
  readBlockBytes: 1_048_576,
  /** Hashes of less than this are compared here: a second thread has to start first. */
  secondThreadBytes: 16_777_216,
  /** Of the first block: a page of events behind a cursor nearly always stands in it. */
  firstReadBlockBytes: 131_072,
  /** What lies before a checkpoint is verified before anything is served up to this size, beyond it in the background. */
  verifiedAtOnceBytes: 67_108_864,
  /** Blocks of the background verification, and its pause before each: everybody else has a turn then. */
  backgroundBlockBytes: 262_144,
  backgroundPauseMs: 2,
  /** An opening that had to take in so many events leaves a checkpoint, so much later: the next one need not. */
  checkpointAfterEvents: 25_000,
  checkpointDelayMs: 2_000,
  /**
   * A checkpoint of so many jobs that have not ended, or of so many times as many that have, costs nothing worth naming.
   * One of more is made only when so many events came for each of them since the last: to take in an event takes as long.
   */
  checkpointFreeJobs: 25_000,
  checkpointEndedPerOpen: 8,
  checkpointEventsPerJob: 2,
  /** So many checkpoints stay in the state folder. */
  keptCheckpoints: 2,
  /** Two neighbours in the sparse index of the ledger stand at most this many events apart. */
  indexStepEvents: 256,
  /** A lock of the folder that nobody renewed for so long counts as left behind, where its holder can't be judged. */
  lockStaleMs: 30_000,
  /** After an acknowledgement the anchor in the home is written at most this much later. */
  anchorDelayMs: 1_000,
  /** Between two looks, outside of batches, at whether the ledger still is ours and still is there. */
  ownershipCheckMs: 2_000,
  /** Between two probes of a disk that was full, and how much has to fit before writing goes on. */
  spaceProbeMs: 1_000,
  spaceProbeBytes: 1_048_576,
  /** So many segments are kept open for reading, the newest ones, so that a removed file can still be saved. */
  keptDescriptors: 4_096,
  /** So many damaged lines are copied to the quarantine at a start; all are told. */
  quarantinedLines: 256,
  /** A caller who asks for more at once over HTTP is told 503. */
  httpConnections: 1024,
  /** What was decided waits at most so long for the disk before further jobs are refused with 503. */
  acknowledgeMs: 2_000,
  /** A caller whose work waits longer than this for the disk is told 503: it may be written or not. */
  outcomeMs: 20_000,
  /** Bodies of requests that are not answered yet, all together; more is refused with 503. */
  heldBodyBytes: 67_108_864,
  /** With these refusals: when to come again, in seconds. */
  retryAfterSeconds: 1,
  /** From a connection's first byte to the end of the request's head, and to the end of the whole request. */
  httpHeadMs: 10_000,
  httpRequestMs: 30_000,
  /** A connection without a request is closed after this long. */
  httpIdleMs: 60_000,
  /** Of a refused body this much is still taken and thrown away, so that its sender can read the refusal. */
  httpDrainBytes: 67_108_864,
  httpDrainMs: 5_000,
  /** A reader that takes nothing for this long, while an answer waits for it, is dropped. */
  httpSlowReaderMs: 15_000,
  /** Between two comments on an event stream that has nothing to say. */
  eventStreamHeartbeatMs: 15_000,
  /** An answer is handed to the socket in pieces of about this size. */
  httpPieceBytes: 65_536,
  /** A view larger than this is made anew for each reader instead of being kept. */
  httpKeptViewBytes: 33_554_432,
  /** Between two looks at the end of a log that is followed. */
  logFollowMs: 200,
  /** `.agents/config.yaml`. */
  configurationBytes: 1_048_576,
  /** So often one value may stand in a configuration by its anchor; what aliases in aliases come to is multiplied. */
  configurationAliases: 100,
  /** The longest time that can be configured, a week; timers take no more than 24 days. */
  configuredSeconds: 604_800,
  /** The most worker threads that can be configured. */
  configuredWorkers: 256,
  /** Wall clock and silence of a process that a job starts, where nothing else is said: nothing runs for ever. */
  childTimeoutMs: 3_600_000,
  childIdleMs: 900_000,
  /** One line of a process's output, where somebody reads it line by line. */
  outputLineBytes: 16_777_216,
  /** Folders in folders below `artifacts/` of a run. */
  artifactFolderDepth: 16,
  /** Between two looks at a watched folder, whatever its watcher says; and where there is no watcher. */
  rescanMs: 2_000,
  rescanUnwatchedMs: 500,
  /** A changed configuration counts when two looks this far apart find the same. */
  configurationSettleMs: 100,
  /** A file in the inbox that is no JSON is refused once it has not changed for this long. */
  inboxSettleMs: 3_000,
  /** Name of a file in the inbox, in UTF-8: the names of its answers are longer. */
  inboxNameBytes: 200,
  /** Files of the inbox that are submitted together. */
  inboxBatchFiles: 16,
});
