import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeLearning } from '../../workers/dream/learning.js';
import { dreamRun } from '../../workers/dream-run.js';
import { createBench, type WorkerBench } from '../support/builtin-context.js';
import { dream, LEARNINGS, learned, transcript } from '../support/dreaming.js';
import { scriptedAgent } from '../support/scripted-agent.js';

const test = suite<WorkerBench>('dream.run');

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

test('an empty repository is an empty result', async (bench) => {
  const report = await dream(bench);
  assert.equal([report.iterations, report.statements, report.learned_count], [1, 0, 0]);
  assert.is(report.dream_run_id, 'job-1');
  assert.match(bench.read(bench.artifacts['summary.md'] ?? ''), '0 documents');
  assert.not.ok(existsSync(join(bench.root, LEARNINGS)));
});

test('documents and transcripts become learnings that say where they were found', async (bench) => {
  bench.put('.agents/retros/one.md', '# One\n\n## Lessons\n\n- The kettle trips the breaker.\n');
  bench.put('.agents/runs/job-7/phases/2/transcript.jsonl', transcript('Lesson: the KETTLE trips the breaker!'));
  bench.put('.agents/runs/job-7/attempt-1/output.log', 'Lesson: a log is no transcript at all.\n');
  const { statements, groups, learned_count } = await dream(bench);
  assert.equal([statements, groups.total, groups.merged, learned_count], [2, 1, 1, 1]);
  const [name] = readdirSync(join(bench.root, LEARNINGS));
  assert.equal(decodeLearning(bench.read(`${LEARNINGS}/${name}`))?.sources, [
    { path: '.agents/retros/one.md', heading: 'Lessons' },
    { path: '.agents/runs/job-7/phases/2/transcript.jsonl' },
  ]);
});

test('what was taken once is not taken again, and what is learned again is the same file', async (bench) => {
  bench.put('.agents/notes/a.md', 'Lesson: the kettle trips the breaker.\n');
  await dream(bench);
  const [name] = readdirSync(join(bench.root, LEARNINGS));
  const file = join(bench.root, LEARNINGS, name ?? '');
  utimesSync(file, 1, 1);
  const again = await dream(bench);
  assert.equal([again.sources.knowledge.known, again.statements, again.learned_count], [1, 0, 0]);
  bench.put('.agents/notes/a.md', 'Changed.\n\nLesson: the kettle trips the breaker.\n');
  const changed = await dream(bench);
  assert.equal([changed.sources.knowledge.changed, changed.groups.known, changed.learned_count], [1, 1, 0]);
  assert.is(statSync(file).mtimeMs, 1000, 'it was not written again');
  bench.put('.agents/notes/b.md', 'Gotcha: the kettle trips the breaker.\n');
  const more = await dream(bench);
  assert.equal([more.learned_count, more.extended_count], [0, 1]);
  assert.equal(readdirSync(join(bench.root, LEARNINGS)), [name]);
});

test('without its index a run learns nothing twice', async (bench) => {
  for (let at = 0; at < 20; at++) bench.put(`.agents/notes/${at}.md`, `Lesson: the part ${at} has to be oiled.\n`);
  await dream(bench);
  const before = readdirSync(join(bench.root, LEARNINGS)).map((name) => bench.read(`${LEARNINGS}/${name}`));
  rmSync(join(bench.root, '.agents/dream'), { recursive: true });
  const { learned_count, groups } = await dream(bench);
  assert.equal([learned_count, groups.known], [0, 20]);
  assert.equal(
    readdirSync(join(bench.root, LEARNINGS)).map((name) => bench.read(`${LEARNINGS}/${name}`)),
    before,
  );
});

test('the same sources give the same bytes in another repository', async (bench) => {
  const other = createBench();
  try {
    const files = (of: WorkerBench) =>
      readdirSync(join(of.root, LEARNINGS)).map((name) => of.read(`${LEARNINGS}/${name}`));
    for (const names of [
      ['a', 'b', 'c'],
      ['c', 'a', 'b'],
    ])
      for (const name of names)
        (names[0] === 'a' ? bench : other).put(
          `.agents/notes/${name}.md`,
          `Lesson: the ${name} goes first.\n\nLesson: oil the ${name} and oil the rest of it.\n`,
        );
    await dream(bench, { goal: 'what goes first' });
    await dream(other, { goal: 'what goes first' });
    assert.equal(files(bench), files(other));
    assert.is(bench.read(bench.artifacts['summary.json'] ?? ''), other.read(other.artifacts['summary.json'] ?? ''));
    assert.is(bench.read('.agents/dream/index.json'), other.read('.agents/dream/index.json'));
  } finally {
    other.remove();
  }
});

test('what people wrote is known, and never written over', async (bench) => {
  bench.put(
    `${LEARNINGS}/mine.md`,
    '# Learning: The kettle trips the breaker\n\nAlways.\n\n- Oil the lathe every week.\n',
  );
  bench.put('.agents/notes/a.md', 'Lesson: the kettle trips the breaker.\n\nLesson: oil the lathe each night.\n');
  bench.put('.agents/notes/b.md', '# Lessons\n\n- Keep the lathe oiled all week.\n');
  const { learnings_before, groups } = await dream(bench);
  assert.equal([learnings_before.people, groups.known, groups.new], [1, 1, 2]);
  const [file] = readdirSync(join(bench.root, LEARNINGS)).filter((name) => name !== 'mine.md');
  const edited = `${bench.read(`${LEARNINGS}/${file}`)}\nI do not think so.\n`;
  bench.put(`${LEARNINGS}/${file}`, edited);
  bench.put('.agents/notes/c.md', bench.read('.agents/notes/a.md'));
  bench.put('.agents/notes/d.md', bench.read('.agents/notes/b.md'));
  const again = await dream(bench);
  assert.equal([again.learnings_before.edited, again.learned_count], [1, 0]);
  assert.is(bench.read(`${LEARNINGS}/${file}`), edited);
});

test('a learning that nothing says any more is stale', async (bench) => {
  bench.put('.agents/notes/a.md', 'Lesson: the kettle trips the breaker.\n');
  bench.put('.agents/notes/b.md', 'Lesson: the lathe stands at the wall.\n');
  bench.put('.agents/transcripts/c.jsonl', transcript('Lesson: the lamp hangs above the door.'));
  assert.is((await dream(bench)).stale_count, 0);
  assert.is((await dream(bench)).stale_count, 0);
  bench.put('.agents/notes/a.md', 'The kettle was sold.\n');
  rmSync(join(bench.root, '.agents/notes/b.md'));
  rmSync(join(bench.root, '.agents/transcripts'), { recursive: true });
  const { stale, gone_count } = await dream(bench);
  assert.is(gone_count, 2);
  assert.equal(
    stale.map(({ reason }) => reason),
    ['.agents/notes/a.md does not say it any more', '.agents/notes/b.md is gone'],
  );
  assert.is((await dream(bench)).stale_count, 2, 'also when nothing is new');
});

test('days are counted to the newest document', async (bench) => {
  bench.put(`${LEARNINGS}/2026-01-01-old.md`, '# Old\n');
  bench.put(`${LEARNINGS}/fresh.md`, '---\ndate: 2026-03-30\n---\n\n# Fresh\n');
  bench.put('.agents/notes/2026-04-01.md', 'x');
  const { as_of, stale } = await dream(bench);
  assert.is(as_of, '2026-04-01');
  assert.is(stale.length, 0, '90 days are not more than 90');
  bench.put('.agents/notes/2026-04-02.md', 'x');
  assert.equal((await dream(bench)).stale, [
    { file: `${LEARNINGS}/2026-01-01-old.md`, reason: '91 days older than 2026-04-02, the newest document' },
  ]);
});

test('the goal ranks the report', async (bench) => {
  bench.put('.agents/notes/a.md', 'Lesson: a lamp hangs above the door.\n\nLesson: the kettle trips the breaker.\n');
  const { learnings } = await dream(bench, { goal: 'Why does the breaker trip?' });
  assert.equal(
    learnings.map(({ relevance }) => relevance),
    [1, 0],
  );
  assert.match(learnings[0]?.statement ?? '', 'breaker');
});

test('a later attempt goes on behind the last stage, without looking again', async (bench) => {
  bench.put('.agents/notes/a.md', 'Lesson: the kettle trips the breaker.\n');
  await dream(bench, { output_dir: 'reports' });
  const report = bench.read('reports/summary.json');
  rmSync(join(bench.root, '.agents/runs/job-1/phases/5'), { recursive: true });
  rmSync(join(bench.root, 'reports'), { recursive: true });
  bench.put('.agents/notes/b.md', 'Lesson: the lathe stands at the wall.\n');
  const second = createBench(bench.root, 2);
  await second.run(dreamRun, 'dream.run', { output_dir: 'reports' });
  assert.is(second.read('reports/summary.json'), report);
  assert.ok(second.logged.includes('iteration 1, commit: done by an earlier attempt'));
  assert.equal(learned(bench), ['the kettle trips the breaker.']);
});

test('a damaged checkpoint is made again', async (bench) => {
  bench.put('.agents/notes/a.md', 'Lesson: the kettle trips the breaker.\n');
  await dream(bench);
  bench.put('.agents/runs/job-1/phases/5/report.json', '{"schema_version":1');
  bench.put('.agents/runs/job-1/phases/2/reduce.json', 'x');
  const second = createBench(bench.root, 2);
  await second.run(dreamRun, 'dream.run', {});
  assert.is(learned(bench).length, 1);
});

test('sources over the limit of an iteration wait for the next, as far as they may', async (bench) => {
  const items = Array.from({ length: 200 }, (_, at) => `- The kettle trips the breaker${'!'.repeat(at)}`).join('\n');
  for (let at = 10; at < 23; at++)
    bench.put(`.agents/notes/${at}.md`, `# Lessons\n\n${items.replaceAll('kettle', `kettle ${at}`)}\n`);
  const first = await dream(bench, { max_iterations: 1 });
  assert.equal([first.iterations, first.sources.knowledge.new, first.sources.knowledge.waiting], [1, 10, 3]);
  assert.match(bench.read(bench.artifacts['summary.md'] ?? ''), 'max_iterations');
  const second = await dream(bench);
  assert.equal([second.iterations, second.learned_count, second.sources.knowledge.waiting], [1, 3, 0]);
  rmSync(join(bench.root, '.agents/dream'), { recursive: true });
  rmSync(join(bench.root, LEARNINGS), { recursive: true });
  const whole = await dream(bench, { max_iterations: null });
  assert.equal([whole.iterations, whole.learned_count, whole.sources.knowledge.new], [2, 13, 13]);
  assert.equal(whole.sources.knowledge, { total: 13, new: 13, changed: 0, known: 0, waiting: 0 });
});

test('an agent says which new statements mean the same, and can do nothing else', async (bench) => {
  bench.put('.agents/notes/a.md', '# Lessons\n\n- The kettle trips the breaker.\n- Boiling water cuts power.\n');
  bench.put('.agents/notes/b.md', 'Lesson: oil the lathe each night.\n');
  const agent = scriptedAgent(['{"same":[[1,3,3,99],[3,2]]}']);
  bench.agent = agent;
  const report = await dream(bench, { goal: 'power' });
  assert.equal([report.reduced_by, report.agent_problem, report.learned_count], ['claude (agent)', undefined, 2]);
  assert.match(agent.requests[0]?.prompt ?? '', '{"number":1,"statement":"Boiling water cuts power."}');
  assert.equal(learned(bench).sort(), ['The kettle trips the breaker.', 'oil the lathe each night.']);
  assert.equal(agent.requests[0]?.access, 'read');
  await createBench(bench.root, 2).run(dreamRun, 'dream.run', { goal: 'power' });
  assert.is(agent.requests.length, 1, 'a later attempt does not ask again');
});

test('an agent that says nothing usable changes nothing, and it is told', async (bench) => {
  bench.put('.agents/notes/a.md', 'Lesson: the kettle trips the breaker.\n\nLesson: oil the lathe each night.\n');
  bench.agent = scriptedAgent(() => '{"same":[["a"]]}');
  const report = await dream(bench);
  assert.match(report.agent_problem ?? '', /member same\.0\.0 must be integer/);
  assert.is(learned(bench).length, 2);
  assert.match(bench.read(bench.artifacts['summary.md'] ?? ''), 'could not be used');
  bench.agent = scriptedAgent([]);
  assert.is((await dream(bench)).reduced_by, 'builtin (no agent)', 'it is not asked about nothing');
});

test('a stopped job stops, and the next attempt ends it', async (bench) => {
  for (let at = 0; at < 300; at++) bench.put(`.agents/notes/${at}.md`, `Lesson: part ${at % 5} has to be oiled.\n`);
  const push = bench.progressed.push.bind(bench.progressed);
  bench.progressed.push = (...all) => {
    if (all[0]?.done === 100) bench.stopping.abort();
    return push(...all);
  };
  let stopped: unknown;
  await bench.run(dreamRun, 'dream.run', {}).catch((error: unknown) => {
    stopped = error;
  });
  assert.is((stopped as Error | undefined)?.name, 'AbortError');
  await createBench(bench.root, 2).run(dreamRun, 'dream.run', {});
  assert.is(learned(bench).length, 5);
  renameSync(join(bench.root, '.agents/runs'), join(bench.root, '.agents/old-runs'));
});

test.run();
