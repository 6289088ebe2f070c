/** The repository that the demo works in: this project's own Markdown files, and three small scripts that do jobs. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Place, run } from './commands.js';

const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));

export interface DemoProject extends Place {
  /** Everything that the demo makes stands in here. */
  readonly folder: string;
  readonly stateDir: string;
  /** Markdown files, relative to the root. */
  readonly sources: readonly string[];
}

export function makeProject(): DemoProject {
  const folder = mkdtempSync(join(tmpdir(), 'agentopsd-demo-'));
  const root = join(folder, 'project');
  const stateDir = join(folder, 'state');
  mkdirSync(root);
  const env = environment(folder, stateDir);
  const project = { folder, root, stateDir, env, sources: copySources(root) };
  writeScripts(root);
  writeDocuments(root);
  run(project, 'git', ['init', '--quiet', '--initial-branch=main']);
  run(project, 'git', ['add', '--all']);
  run(project, 'git', ['commit', '--quiet', '--message', 'The files that the demo works on']);
  return project;
}

/** No setting of the person who runs the demo has a part in it, and none is changed. */
function environment(folder: string, stateDir: string): NodeJS.ProcessEnv {
  const who = { NAME: 'agentopsd demo', EMAIL: 'demo@agentopsd.invalid' };
  const { PATH, LANG } = process.env;
  return {
    PATH,
    LANG,
    HOME: folder,
    TMPDIR: folder,
    AGENTOPSD_STATE_DIR: stateDir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: who.NAME,
    GIT_AUTHOR_EMAIL: who.EMAIL,
    GIT_COMMITTER_NAME: who.NAME,
    GIT_COMMITTER_EMAIL: who.EMAIL,
  };
}

function copySources(root: string): string[] {
  const found = markdownIn('', false);
  for (const folder of ['lib', 'spec', 'test', 'workers']) found.push(...markdownIn(folder, true));
  for (const path of found) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(join(PACKAGE, path), join(root, path));
  }
  return found.sort();
}

/** Markdown files of the package below `folder`, relative to the package. */
function markdownIn(folder: string, recursive: boolean): string[] {
  const names = readdirSync(join(PACKAGE, folder), { recursive, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name));
}

/** What stands in for an agent: programs that get the payload on their standard input. */
const scripts = {
  'edit.mjs': `// Does what an agent would: reads the goal, edits a file, says so, leaves an artifact.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
const { goal } = JSON.parse(readFileSync(0, 'utf8'));
appendFileSync('NOTES.md', \`- \${goal} (job \${process.env.AGENTOPS_JOB_ID}, attempt \${process.env.AGENTOPS_ATTEMPT})\\n\`);
const artifacts = \`\${process.env.AGENTOPS_RUN_DIR}/artifacts\`;
mkdirSync(artifacts, { recursive: true });
writeFileSync(\`\${artifacts}/summary.md\`, \`Added one line to NOTES.md: \${goal}\\n\`);
console.log(\`edited NOTES.md: \${goal}\`);
`,
  'fail.mjs': `// A job whose work fails.
console.error('the suite is red: 1 of 3 cases failed');
process.exit(3);
`,
  'slow.mjs': `// Takes for ever at its first attempt, and is quick at the next.
import { appendFileSync } from 'node:fs';
const attempt = Number(process.env.AGENTOPS_ATTEMPT);
appendFileSync('slow.log', \`attempt \${attempt} process \${process.pid}\\n\`);
console.log(\`attempt \${attempt} begins\`);
if (attempt === 1) setInterval(() => undefined, 1000);
else console.log('done');
`,
};

const executors = `executors:
  rpi.run: { command: [node, tools/edit.mjs] }
  rpi.phase: { command: [node, tools/fail.mjs] }
  factory.local-pilot: { command: [node, tools/slow.mjs] }
`;

/** Of the notes and the transcript that `dream.run` reads: the same lesson twice, in other words. */
const lessons = {
  '.agents/retros/first-week.md': `# The first week

## Lessons learned

- A job whose daemon was killed is tried again, so write what it makes whole or not at all.
- Read the ledger with jq before you ask anybody.
`,
  '.agents/transcripts/review.jsonl': `${JSON.stringify({
    type: 'result',
    subtype: 'success',
    result: 'Lesson: a job whose daemon was killed is tried again; so write what it makes whole, or not at all.',
  })}\n`,
};

/** Laid down after `init`, which makes the folder `.agents`. */
export function writeLessons(root: string): void {
  for (const [path, text] of Object.entries(lessons)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** What the project means to do, and what holds of its documents: for the built-in workers. */
const documents = {
  '.agents/plans/roof.md': '---\nid: roof\nstatus: open\ndepends_on: [walls]\n---\n\n# Put a roof on\n',
  '.agents/plans/walls.md': '---\nid: walls\nstatus: done\n---\n\n# Raise the walls\n',
  'evals/documents.yaml': `title: What holds of the documents
threshold: 0.5
cases:
  - id: the README begins with a heading
    files: [README.md]
    command: [sh, -c, "head -n 1 README.md; rm README.md"]
    expect: { stdout: { matches: "^# \\\\w" } }
  - id: nothing is left to do
    files: [NOTES.md]
    command: [cat, NOTES.md]
    expect: { stdout: { contains: all done } }
`,
};

function writeDocuments(root: string): void {
  for (const [path, text] of Object.entries(documents)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function writeScripts(root: string): void {
  mkdirSync(join(root, 'tools'));
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(root, 'tools', name), text);
  writeFileSync(join(root, 'NOTES.md'), '# Notes\n\n');
}

/** Names the demo's scripts in the configuration that `init` laid down, and lets the commands of its suite run. */
export function configureExecutors(root: string): void {
  const path = join(root, '.agents', 'config.yaml');
  const text = readFileSync(path, 'utf8');
  if (!/^executors:\n/m.test(text)) throw new Error("the template has no line `executors:` to put the demo's behind");
  const named = text.replace(/^executors:\n/m, executors);
  writeFileSync(path, named.replace(/^allow_payload_commands: false$/m, 'allow_payload_commands: true'));
}
