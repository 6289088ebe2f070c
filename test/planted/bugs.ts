/**
 * The planted bugs: one-line mistakes that somebody could make. Each names a compiled file, a text in it that must stand
 * there exactly once, and what stands there instead. None of it is in what is shipped: a copy is changed.
 */
export interface PlantedBug {
  readonly name: string;
  /** Below `lib/`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The test files that have to see it, as a part of their path: what has real processes or threads in it. Default: the simulation. */
  readonly seenBy?: string;
}

const bug = (name: string, file: string, from: string, to: string, seenBy?: string): PlantedBug => ({
  name,
  file,
  from,
  to,
  ...(seenBy === undefined ? {} : { seenBy }),
});

const SYNC_THEN_CHECK = /* of a batch */ `            await file.datasync();
            const reason = whyNotOurs(this.#options.disk, term, { file, sizeBytes: sizeBytes + batch.bytes.length });`;

export const bugs: readonly PlantedBug[] = [
  // ------------------------------------------------------------------------------------------------- a batch
  bug(
    'acknowledged before the sync is through',
    'storage/appender.js',
    SYNC_THEN_CHECK,
    SYNC_THEN_CHECK.replace('await file.datasync()', 'void file.datasync().catch(() => undefined)'),
  ),
  bug('no sync', 'storage/appender.js', SYNC_THEN_CHECK, SYNC_THEN_CHECK.replace('await file.datasync();', '')),
  bug(
    'checked before the sync',
    'storage/appender.js',
    SYNC_THEN_CHECK,
    `${SYNC_THEN_CHECK.replace('await file.datasync();', '')}\n            await file.datasync();`,
  ),
  bug(
    'not checked',
    'storage/appender.js',
    SYNC_THEN_CHECK,
    '            await file.datasync();\n            const reason = undefined;',
  ),
  bug(
    'a failed sync is tried again',
    'storage/appender.js',
    SYNC_THEN_CHECK,
    SYNC_THEN_CHECK.replace('file.datasync()', 'file.datasync().catch(() => file.datasync())'),
  ),
  bug(
    'a failed sync is passed over',
    'storage/appender.js',
    SYNC_THEN_CHECK,
    SYNC_THEN_CHECK.replace('file.datasync()', 'file.datasync().catch(() => undefined)'),
  ),
  bug('no look at the size before the write', 'storage/appender.js', 'if (found !== sizeBytes)', 'if (false)'),
  bug('a short write counts as a whole one', 'storage/atomic-file.js', 'written += taken;', 'written = bytes.length;'),
  bug(
    'the writer goes on behind a failure',
    'storage/appender.js',
    "this.#end(failure.full ? 'full' : 'stopped', failure.reason, failure.written ? batch.waiters : [], failure.written ? [] : batch.waiters);",
    'for (const waiter of batch.waiters) waiter.reject(outcomeUnknown(failure.reason));',
  ),
  bug(
    'the numbers go on behind what was dropped',
    'storage/appender.js',
    `        this.#nextSeq = this.#lastSeq + 1;
        this.#options.observer.onDiscarded();`,
    '        this.#options.observer.onDiscarded();',
  ),
  bug(
    'waiters of a failed batch are told that all is well',
    'storage/appender.js',
    'waiter.reject(outcomeUnknown(reason));',
    'waiter.resolve(spanOf(waiter));',
  ),
  bug(
    'a commit names the last event of its batch',
    'storage/batch.js',
    '{ from: first.seq }',
    '{ from: events.at(-1).seq }',
  ),
  bug(
    'what may survive is told as not written',
    'storage/appender.js',
    'failure.written ? batch.waiters : [], failure.written ? [] : batch.waiters',
    '[], batch.waiters',
  ),
  bug(
    'an error of the disk passes for a full one',
    'storage/disk.js',
    "new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])",
    "new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO'])",
  ),
  bug(
    'a clean stop does not wait for the batch in flight',
    'storage/appender.js',
    `this.#closing = true;
        await this.#running;`,
    'this.#closing = true;',
  ),
  // ------------------------------------------------------------------------------------------------- the check
  bug('the next term is not looked for', 'storage/check.js', 'if (!term.isLast())', 'if (false)'),
  bug('the own term is not looked for', 'storage/check.js', 'if (!term.isOurs())', 'if (false)'),
  bug(
    'the segment is not looked at',
    'storage/check.js',
    'return whyNotOurSegment(disk, segment);',
    'return undefined;',
  ),
  bug('a replaced segment passes', 'storage/check.js', 'if (!isSame(named, own))', 'if (false)'),
  bug('a second name of the segment passes', 'storage/check.js', 'if (named.links !== 1)', 'if (false)'),
  // ------------------------------------------------------------------------------------------------- becoming the writer
  bug(
    'the folder of a new segment is not synced',
    'storage/live-segment.js',
    'await disk.syncFolder(layout.ledger);',
    '',
  ),
  bug('a header is not synced', 'storage/live-segment.js', 'await file.datasync();', ''),
  bug('the head is not written again', 'storage/writer.js', 'await rewriteHead(options, plan);', ''),
  bug('the head is written again and not synced', 'storage/writer.js', 'await file.datasync();', ''),
  bug('the head is synced without being written again', 'storage/writer.js', 'writeWhole(file, bytes, fromByte);', ''),
  bug(
    'folders on the way are not synced',
    'storage/folder.js',
    'await syncOrPass(disk, path, within(topmost, path) && path !== topmost);',
    '',
  ),
  bug(
    'small files are not synced',
    'storage/atomic-file.js',
    `        if (write.durable ?? true)
            await file.datasync();`,
    '',
  ),
  bug(
    'a new segment goes on from the size of the file',
    'storage/writer.js',
    'after: { segment: from.name, length: from.sizeBytes },',
    'after: { segment: from.name, length: from.file.factsSync().sizeBytes },',
  ),
  bug(
    'what waits keeps its place when a segment ends',
    'storage/appender.js',
    'this.#draft = this.#draft.moveBehind(this.#segment.lastHash);',
    '',
  ),
  // ------------------------------------------------------------------------------------------------- the lock
  bug('a pid alone proves life', 'storage/guard.js', '&& found.started === started', ''),
  bug('a dead owner is waited for', 'storage/guard.js', "if (standing === 'dead' && mark !== undefined)", 'if (false)'),
  bug(
    'a living owner is not heeded',
    'storage/guard.js',
    "found.started === started ? 'alive' : 'dead'",
    "found.started === started ? 'dead' : 'dead'",
  ),
  // ------------------------------------------------------------------------------------------------- repair
  bug(
    'whole batches are cut',
    'storage/repair.js',
    'const fromByte = await endOfWholeBatches(file, countedBytes);',
    'const fromByte = countedBytes;',
  ),
  bug(
    'cut without a copy',
    'storage/repair.js',
    '(await keepCopy(options, file, { fromByte, toByte }, name, WHY_TORN))',
    "''",
  ),
  bug(
    'the quarantine drops a byte',
    'storage/quarantine.js',
    'writeWhole(copy, block, at - span.fromByte);',
    'writeWhole(copy, block.subarray(1), at - span.fromByte);',
  ),
  bug('a copy in the quarantine is not synced', 'storage/quarantine.js', 'await copy.datasync();', ''),
  bug('what was removed is not saved', 'storage/vigil.js', 'await kept.saveGone(this.#options)', '[]'),
  bug(
    "another home's torn end is cut",
    'storage/repair.js',
    'if (plan.after !== undefined && last?.ours)',
    'if (plan.after !== undefined)',
  ),
  bug(
    "another home's segments without events are set aside",
    'storage/replay.js',
    'return facts.header === undefined || facts.own;',
    'return true;',
  ),
  // ------------------------------------------------------------------------------------------------- replay
  bug(
    'half a batch counts',
    'storage/scan.js',
    'return { end: this.#endBefore, tornFromByte: last.fromByte };',
    'return { end: this.#end, tornFromByte: undefined };',
  ),
  bug(
    'a torn end is told as damage',
    'storage/scan.js',
    `        if (!last.closed)
            return true;`,
    `        if (!last.closed)
            return false;`,
  ),
  bug('hashes are not compared', 'storage/chain-check.js', 'prevHashIn(bytes, at, end) !== this.#hash || ', ''),
  bug(
    'what fits in the chain passes for an event',
    'storage/chain-check.js',
    ' || (eventsOnly && !isEvent(bytes, at, end))',
    '',
    'storage/chain-thread',
  ),
  bug(
    'signs that steer a terminal pass in a ledger of others',
    'storage/plain-json.js',
    'if (first === 0xc2)',
    'if (false)',
    'storage/plain-event',
  ),
  bug(
    'the last mac is not verified',
    'storage/trusted.js',
    'if (!verifyEventMac(bytes, decoded, this.#key))',
    'if (false)',
  ),
  bug('damaged lines pass for torn ones', 'storage/scan.js', "if (last.broken === 'altered')", 'if (false)'),
  bug(
    'the anchor is not asked',
    'storage/file-ledger.js',
    'const lacking = await findLacking(disk, home, plan, taken.history);',
    'const lacking = undefined;',
  ),
  bug(
    'the anchor stays where it was',
    'storage/open-ledger.js',
    'this.#acknowledged = { seq: batch.events.at(-1)?.seq ?? 0, hash: batch.lastHash };',
    '',
  ),
  bug(
    'claims are not held behind damage',
    'storage/replay.js',
    'claimsHeldThroughSeq: damage.length > 0 ? (chain?.lastSeq ?? 0) : 0,',
    'claimsHeldThroughSeq: 0,',
  ),
  bug('damage behind a checkpoint is not told', 'storage/behind.js', "if (found.status === 'corrupt')", 'if (false)'),
  bug(
    'what is behind a checkpoint is believed against the anchor',
    'storage/lacking.js',
    'return (await lineOf(covered.history, anchor.seq))?.hash === anchor.hash;',
    'return true;',
    'storage/checkpoint',
  ),
  bug(
    'damage elsewhere hides what is missing',
    'storage/lacking.js',
    'return found !== undefined && !isTold(plan.damage, found);',
    'return false;',
    'storage/lacking',
  ),
  bug('adopted damage is forgotten', 'storage/opening.js', 'condition.notice(event);', ';'),
  // ------------------------------------------------------------------------------------------------- state
  bug(
    'readers see what is not durable',
    'engine/kernel.js',
    'this.#pending.decided(events);',
    'this.#pending.decided(events); for (const event of events) this.state.apply(event, true);',
  ),
  bug(
    'dropped decisions stay',
    'engine/kernel.js',
    'this.#pending.discard();\n            this.#waiting.discard();',
    'this.#waiting.discard();',
  ),
  bug(
    'decided before the ledger takes it',
    'engine/kernel.js',
    `        const appended = this.ledger.append(events);
        this.#pending.decided(events);`,
    `        this.#pending.decided(events);
        const appended = this.ledger.append(events);`,
  ),
  bug(
    'a repeated request is answered before the first is durable',
    'engine/kernel.js',
    'if (decidedSeq > this.state.lastSeq)',
    'if (false)',
  ),
  bug(
    'the table of keys is not rebuilt',
    'model/jobs.js',
    'if (key !== undefined && (isFree || this.#numbers.ofKey(key) === undefined))',
    'if (false)',
  ),
  bug(
    'keys are not restored from a checkpoint',
    'model/jobs.js',
    'this.#numbers.restore(idHash, keyHash);',
    'this.#numbers.restore(idHash, 0);',
  ),
  bug(
    'a key that leads to another job leads to this one after a restart',
    'model/snapshot.js',
    'const keyHash = job?.foreign ? 0 : numbers.keyHash(number);',
    'const keyHash = numbers.keyHash(number);',
    'model/snapshot',
  ),
  bug(
    'running jobs are not restored from a checkpoint',
    'model/state.js',
    'this.#running = new Set(summary.running);',
    '',
  ),
  bug(
    'late results are taken',
    'model/decide-under-lease.js',
    "job.status === 'running' && job.claim_token === held.claim_token && job.lease_epoch === held.lease_epoch",
    "job.status === 'running'",
  ),
  bug(
    'attempts are not counted to the end',
    'model/decide-under-lease.js',
    'if (job.attempt < job.max_attempts)',
    'if (job.attempt <= job.max_attempts)',
  ),
  bug(
    'a job that ended can be cancelled',
    'model/decide.js',
    "if (status === 'completed' || status === 'failed' || status === 'cancelled')",
    'if (false)',
  ),
  bug('a running job can be claimed', 'model/fold.js', "&& job.status !== 'running'", ''),
  bug('a claimed job stays in the line', 'model/state.js', 'this.#queueOf(job.job_type).remove(place);', ';'),
  bug(
    'a moment shows what happened after it',
    'model/live-jobs.js',
    'if (leaf?.before !== this.#moments)',
    'if (leaf === undefined)',
    'model/live-jobs',
  ),
  bug(
    'jobs wait in another order after a restart',
    'model/state.js',
    '.sort((one, other) => one.last_seq - other.last_seq)',
    '',
    'model/snapshot',
  ),
  bug(
    'a claim does not raise the epoch',
    'model/decide.js',
    'lease_epoch: job.lease_epoch + 1',
    'lease_epoch: job.lease_epoch',
  ),
  bug(
    'counts are not restored from a checkpoint',
    'model/state.js',
    'this.#countsByStatus = new Tally(summary.statuses);',
    '',
  ),
  bug(
    'a full disk is not told',
    'storage/open-ledger.js',
    'this.#upkeep.full();',
    'this.#upkeep.full(); this.#parts.condition.resumed();',
  ),
  bug(
    'a spoiled checkpoint counts',
    'storage/checkpoint.js',
    'if (macAt < 0 || !timingSafeEqual(mac.update(rest.subarray(0, macAt)).digest(), rest.subarray(macAt)))',
    'if (macAt < 0)',
  ),
  bug(
    'files stay open behind a replay',
    'storage/scan.js',
    `(await scanCarefully(file, task));
    }
    finally {
        await file.close();`,
    `(await scanCarefully(file, task));
    }
    finally {`,
  ),
  // ------------------------------------------------------------------------------------------------- others' ledgers
  bug('jobs of a clone are ours', 'model/fold.js', 'foreign: !ours,', 'foreign: false,'),
  bug("a stranger's job can be claimed", 'model/fold.js', 'return !job.foreign && ', 'return '),
  bug("a stranger's events change our jobs", 'model/fold.js', 'if (!ours && !job.foreign)', 'if (false)'),
  bug(
    "a stranger's key is taken for ours",
    'model/state.js',
    'if (job.foreign !== before?.foreign && !job.foreign)',
    'if (job.foreign !== before?.foreign)',
  ),
  bug(
    'two heads are not told',
    'storage/chains.js',
    'return { chain: own, reasons: [reason] };',
    'return { chain: own, reasons: [] };',
  ),
  bug(
    'what a head without events seals is not looked at',
    'storage/chains.js',
    'allLinks: all,',
    'allLinks: links.includes(all.at(-1)) ? links : [...links, all.at(-1)],',
    'storage/replay',
  ),
  // ------------------------------------------------------------------------------------------------- threads and processes
  bug(
    'a slot is free before its thread has ended',
    'engine/serving-thread.js',
    `await this.#piscina.destroy();
        await this.#exit;`,
    'setTimeout(() => void this.#piscina.destroy(), 100);',
    'engine/thread-slot',
  ),
  bug(
    'leases run by the wall clock',
    'engine/lease.js',
    'return this.#renewing !== undefined || now < this.#endsAtMonotonicMs;',
    'return this.#renewing !== undefined || this.#seams.clock.wallMs() < Date.parse(this.#shownEnd);',
    'engine/lease.test',
  ),
  bug(
    'a lock is released whoever holds it',
    'storage/node-lock.js',
    'return !this.held || (this.#mark !== undefined && markOf(this.#path) === this.#mark);',
    'return true;',
    'storage/takeover',
  ),
];
