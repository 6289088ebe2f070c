/** The worked examples of `workers/README.md`: run as they stand there, and the typed one compiled against the package. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfiguration } from '../../lib/model/configuration.js';
import { repositoryRoot } from '../support/sources.js';
import { Workshop } from '../support/workshop.js';

const test = suite("handlers of one's own");
const execute = promisify(execFile);
const BUILD = fileURLToPath(new URL('../..', import.meta.url));
const TSC = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
let shop: Workshop;
let text = '';

test.before.each(async () => {
  text = await readFile(join(repositoryRoot, 'workers/README.md'), 'utf8');
  const { configuration, problems } = parseConfiguration(block('`.agents/config.yaml` names it'));
  assert.equal(problems, []);
  shop = await Workshop.open({ workers: 1, executors: configuration?.executors ?? {} });
  for (const file of ['tools/count.sh', 'tools/digest.mjs']) await shop.write(file, block(`\`${file}\`:`));
  await mkdir(join(shop.root, 'docs'));
  await shop.write('docs/a.md', '# A\n\ntext\n');
  await shop.write('docs/b.md', '# B\n');
  shop.start();
});
test.after.each(() => shop.close());

/** The first fenced block behind `heading`. */
function block(heading: string): string {
  const at = text.indexOf(heading);
  assert.ok(at !== -1, heading);
  return /```\w+\n([\s\S]*?)```/.exec(text.slice(at))?.[1] ?? '';
}
const artifact = (id: string, name: string): Promise<string> => shop.read(shop.job(id).artifacts?.[name] ?? '');

test('the command', async () => {
  const id = await shop.submit({ folder: 'docs' });
  await shop.untilStatus(id, 'completed');
  assert.is(await artifact(id, 'count.txt'), '2\n');
  assert.is(await artifact(id, 'output'), `attempt 1 at ${id}: counting in docs\n`);
  const none = await shop.submit({ folder: 'none' });
  await shop.untilStatus(none, 'failed');
  assert.is(shop.job(none).failure?.message, 'sh ended with exit code 3');
  assert.match(await artifact(none, 'output'), 'there is no folder none');
});

test('the module', async () => {
  const id = await shop.submit({ files: ['docs/a.md', 'docs/b.md'] }, 'dream.run');
  await shop.until(() => shop.job(id).status !== 'queued' && shop.job(id).status !== 'running', 'it has ended');
  assert.is(shop.job(id).failure, undefined);
  assert.equal(JSON.parse(await artifact(id, 'lines.json')), { 'docs/a.md': 4, 'docs/b.md': 2 });
  assert.equal(JSON.parse(await artifact(id, 'result.json')), { files: 2 });
  assert.match(await artifact(id, 'output'), /^read docs\/a\.md\nread docs\/b\.md\n\w+\n$/);
});

test('the typed one compiles against the types of the package, strictly, and runs', async () => {
  await installPackage();
  await shop.write('tools/digest.ts', block('`tools/digest.ts`:'));
  await shop.write(
    'tools/wrong.ts',
    "import type { Handler } from 'agentopsd/worker';\nexport const wrong: Handler = (job, context) => context.nothing(job.pay);\n",
  );
  const strictness = ['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes'];
  const words = [...strictness, '--module', 'NodeNext', '--target', 'es2022', '--types', 'node', '--outDir', 'built'];
  const files = ['tools/digest.ts', 'tools/wrong.ts'];
  const told = await execute(process.execPath, [TSC, ...words, ...files], { cwd: shop.root }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
  assert.equal(
    told.match(/^\S+\.ts\(.*?: error TS\d+: .*$/gm)?.map((line) => line.replace(/\(.*?TS\d+/, '')),
    [
      "tools/wrong.ts: Property 'nothing' does not exist on type 'JobContext'.",
      "tools/wrong.ts: Property 'pay' does not exist on type 'WorkerJob'.",
    ],
    told,
  );
  await shop.write('tools/digest.mjs', await shop.read('built/digest.js'));
  const id = await shop.submit({ greeting: 'good day' }, 'dream.run');
  await shop.untilStatus(id, 'completed');
  assert.is(await artifact(id, 'greeting.txt'), 'good day');
  const path = `.agents/runs/${id}/attempt-1/artifacts/greeting.txt`;
  assert.equal(JSON.parse(await artifact(id, 'result.json')), { path, exitCode: 0, attempt: 1 });
});

/** What `npm install` of the package would lay down, as far as types go, and the types of Node.js. */
async function installPackage(): Promise<void> {
  const modules = join(shop.root, 'node_modules');
  const installed = join(modules, 'agentopsd');
  await mkdir(join(modules, '@types'), { recursive: true });
  await mkdir(join(installed, 'dist'), { recursive: true });
  await cp(join(repositoryRoot, 'package.json'), join(installed, 'package.json'));
  for (const part of ['lib', 'workers'])
    await cp(join(BUILD, part), join(installed, 'dist', part), { recursive: true });
  for (const name of ['@types/node', 'undici-types']) {
    await symlink(join(repositoryRoot, 'node_modules', name), join(modules, name));
  }
  await writeFile(join(shop.root, 'package.json'), '{"private":true,"type":"module"}\n');
}

test.run();
